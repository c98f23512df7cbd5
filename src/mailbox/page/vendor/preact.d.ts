/** What the page uses of the vendored file. */
export interface VNode {
  readonly type: unknown;
}
export declare function html(strings: TemplateStringsArray, ...values: readonly unknown[]): VNode;
export declare function render(node: VNode, parent: Element): void;
export declare function useState<T>(initial: T | (() => T)): [T, (next: T | ((current: T) => T)) => void];
export declare function useEffect(effect: () => undefined | (() => void), inputs?: readonly unknown[]): void;
export declare function useRef<T>(initial: T): { current: T };
export declare function useMemo<T>(make: () => T, inputs: readonly unknown[]): T;
