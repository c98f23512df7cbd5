// @ts-check

/** @typedef {import('./modules.js').Module} Module */
/** @typedef {{ path: string, target: string, line: number }} Arrow the first import that makes one room depend on another */
/** @typedef {Map<string, Map<string, Arrow>>} RoomGraph each room, and the rooms it imports from, types included */

/**
 * What the rooms import from each other, by static and type imports.
 *
 * @param {Module[]} modules
 * @param {(path: string) => string} roomOf
 * @returns {RoomGraph}
 */
export function roomGraph(modules, roomOf) {
  /** @type {RoomGraph} */
  const graph = new Map(modules.map(({ path }) => [roomOf(path), new Map()]));
  for (const { path, imports } of modules) {
    const room = roomOf(path);
    for (const { kind, target, line } of imports) {
      if (target === null || (kind !== 'static' && kind !== 'type')) continue;
      const other = roomOf(target);
      const arrows = graph.get(room);
      if (other !== room && !arrows?.has(other)) arrows?.set(other, { path, target, line });
    }
  }
  return graph;
}

/** The longest chain of rooms, each importing from the next; rooms that import each other count as one. @param {RoomGraph} graph */
export function countFloors(graph) {
  const reached = reachable(graph);
  /** @type {Map<string, number>} */
  const floors = new Map();
  /** @type {(room: string) => number} */
  const floorOf = (room) => {
    const known = floors.get(room);
    if (known !== undefined) return known;
    const below = [...(reached.get(room) ?? [])].filter((other) => !reached.get(other)?.has(room));
    const floor = 1 + Math.max(0, ...below.map(floorOf));
    floors.set(room, floor);
    return floor;
  };
  return Math.max(0, ...[...graph.keys()].map(floorOf));
}

/**
 * Rooms that import each other: one shortest cycle for each group of them, beginning and ending with the same room.
 *
 * @param {RoomGraph} graph
 * @returns {string[][]}
 */
export function findCycles(graph) {
  const reached = reachable(graph);
  /** @type {string[][]} */
  const cycles = [];
  const done = new Set();
  for (const room of graph.keys()) {
    if (done.has(room) || !reached.get(room)?.has(room)) continue;
    cycles.push(shortestWayBack(graph, room));
    for (const other of reached.get(room) ?? []) if (reached.get(other)?.has(room)) done.add(other);
  }
  return cycles;
}

/** @type {(graph: RoomGraph, room: string) => string[]} */
function shortestWayBack(graph, room) {
  const trails = [[room]];
  const seen = new Set();
  for (const trail of trails) {
    for (const next of graph.get(trail.at(-1) ?? '')?.keys() ?? []) {
      if (next === room) return [...trail, room];
      if (!seen.has(next)) trails.push([...trail, next]);
      seen.add(next);
    }
  }
  throw new Error(`${room} is in no cycle`);
}

/** The rooms that can be reached from each room; a room reaches itself only through others. @type {(graph: RoomGraph) => Map<string, Set<string>>} */
function reachable(graph) {
  return new Map(
    [...graph].map(([room, arrows]) => {
      const found = new Set(arrows.keys());
      for (const name of found) for (const next of graph.get(name)?.keys() ?? []) found.add(next);
      return [room, found];
    }),
  );
}
