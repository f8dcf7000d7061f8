/** @returns whether so many seconds have passed since */
export function timeLimit(seconds: number): () => boolean {
  const started = performance.now();
  return () => performance.now() - started >= seconds * 1000;
}
