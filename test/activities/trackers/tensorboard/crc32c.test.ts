/** CRC-32C against the test vectors of RFC 3720, appendix B.4. */
import { crc32c } from '../../../../activities/trackers/tensorboard/crc32c.js';
import { bitwiseCrc32c } from '../../../support/event-files.js';

test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['rising', Uint8Array.from({ length: 32 }, (_, k) => k), 0x46dd794e],
  ['falling', Uint8Array.from({ length: 32 }, (_, k) => 31 - k), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
])('%s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
  expect(bitwiseCrc32c(bytes)).toBe(expected);
});
