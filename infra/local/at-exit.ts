/** What is done as this process ends, by whichever way. One listener for all: Node takes eleven for a leak. */
const actions = new Set<() => void>();
let isListening = false;

/** @returns takes it back */
export function atExit(action: () => void): () => void {
  const own = () => action();
  actions.add(own);
  if (!isListening)
    process.once('exit', () => {
      for (const act of actions) act();
    });
  isListening = true;
  return () => void actions.delete(own);
}
