/** Writes the dashboard anew, from the table of panels. */
import { writeFileSync } from 'node:fs';
import { DASHBOARD_FILE, dashboard } from './dashboard.js';

writeFileSync(DASHBOARD_FILE, `${JSON.stringify(dashboard(), null, 2)}\n`);
