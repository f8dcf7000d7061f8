/** What is done as this process ends, by whichever way. One listener for all: Node takes eleven for a leak. */
const actions = new Set<() => void>();

export function atExit(action: () => void): void {
  if (actions.size === 0)
    process.once('exit', () => {
      for (const act of actions) act();
    });
  actions.add(action);
}
