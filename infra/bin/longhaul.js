#!/usr/bin/env node
/** The `longhaul` command: hands over to the build. */

const fs = require('node:fs');
const path = require('node:path');

const main = path.resolve(__dirname, '../../dist/infra/cli/main.js');

if (!fs.existsSync(main)) {
  process.stderr.write('longhaul is not built yet. Run `npm start`, or for the set-up alone: npm run setup\n');
  process.exit(1);
}
require(main)
  .main(process.argv)
  .then(code => {
    process.exitCode = code;
  });
