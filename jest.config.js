// `npm test` leaves out what takes minutes: `npm run test:long` runs that, and that alone.
const long = process.env.LONG_TESTS === '1';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: '<rootDir>/test/support/environment.js',
  testMatch: [long ? '<rootDir>/test/**/*.long.test.ts' : '<rootDir>/test/**/!(*.long).test.ts'],
  transform: {
    '^.+\\.(t|j)s$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  // Packages that are ES modules only: node loads them by import(), jest's own loader needs them transformed.
  transformIgnorePatterns: [
    '/node_modules/(?!(hyparquet|hyparquet-writer|hyparquet-compressors|hysnappy|fzstd|p-map)/)',
  ],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.longhaul'],
  maxWorkers: 2,
  testTimeout: 60_000,
};
