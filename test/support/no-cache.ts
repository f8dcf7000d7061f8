/** For sources that fetch nothing: a cache folder that must never come into being. */
export const NO_CACHE = { cacheDir: '/dev/null/no-cache' };
