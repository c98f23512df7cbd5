import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectFirst, interleave } from '../../src/net/connect.ts';

const never = new AbortController().signal;
let server: Server;
let port = 0;
/** A port on which nothing listens. */
let closed = 0;

async function listen(): Promise<Server> {
  const listening = createServer((socket) => socket.on('error', () => {}).end('220 hello\r\n'));
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  return listening;
}

function portOf(listening: Server): number {
  return (listening.address() as AddressInfo).port; // it listens on TCP
}

beforeAll(async () => {
  server = await listen();
  port = portOf(server);
  const gone = await listen();
  closed = portOf(gone);
  await new Promise((resolve) => gone.close(resolve));
});

afterAll(() => server.close());

describe('connectFirst', () => {
  it('tries every address', async () => {
    const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.1'].map((address) => ({ address, family: 4 }));
    const { socket } = await connectFirst(addresses, port, never);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('does not wait for an address that leads nowhere', async () => {
    // TEST-NET-1: no answer, or none at all where there is no way.
    const addresses = [
      { address: '192.0.2.1', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    const { socket } = await connectFirst(addresses, port, never);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('fails with the first address when none answers', async () => {
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
    await expect(connectFirst(addresses, closed, never)).rejects.toMatchObject({ address: '127.0.0.1' });
  });

  it('stops when its signal aborts', async () => {
    const abort = AbortSignal.abort(new Error('enough'));
    await expect(connectFirst([{ address: '127.0.0.1', family: 4 }], port, abort)).rejects.toThrow('enough');
  });
});

it('puts the address families in turn', () => {
  const of = (family: number, ...names: string[]) => names.map((address) => ({ address, family }));
  const mixed = interleave([...of(6, 'a', 'b', 'c'), ...of(4, 'd')]);
  expect(mixed.map(({ address }) => address)).toEqual(['a', 'd', 'b', 'c']);
  expect(interleave([])).toEqual([]);
});
