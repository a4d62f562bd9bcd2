import { createECDH } from 'node:crypto';
import { OLDEST_SERVED_VERSION, PROTOCOL_VERSION } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { claimOf } from './claim.ts';

const curve = createECDH('prime256v1');
curve.setPrivateKey(Buffer.alloc(32, 7));
const key = curve.getPublicKey().toString('base64url');

describe('a handshake', () => {
  it.each([
    [{ protocol: PROTOCOL_VERSION }],
    [{ protocol: PROTOCOL_VERSION, oldest: OLDEST_SERVED_VERSION, features: [] }],
    [{ protocol: PROTOCOL_VERSION, oldest: 1 }],
    [{ protocol: PROTOCOL_VERSION + 3, oldest: PROTOCOL_VERSION }],
    [{ protocol: PROTOCOL_VERSION + 3, oldest: 1, 'of-a-newer-version': true }],
  ])('is answered with the newest version that both speak: %j', async (versions) => {
    expect((await claimOf({ ...versions, key })).protocol).toBe(PROTOCOL_VERSION);
  });

  it.each([
    [{ protocol: 3, key }],
    [{ protocol: 3, oldest: 2, key }],
    // The hello of version 1.
    [{ protocol: 1, secret: '00'.repeat(32) }],
  ])('of an older version is refused in one sentence, for a page and for a program: %j', async (auth) => {
    await expect(claimOf(auth)).rejects.toMatchObject({
      code: 'protocol-too-old',
      retry: 'reload',
      message: `This participant speaks version ${auth.protocol} of the protocol, and this coordinator needs version ${OLDEST_SERVED_VERSION} or newer. Reload the page, or update the program.`,
    });
  });

  it('of a version that does not speak an older one is refused by name', async () => {
    const auth = { protocol: PROTOCOL_VERSION + 2, oldest: PROTOCOL_VERSION + 1, key };
    await expect(claimOf(auth)).rejects.toMatchObject({
      code: 'protocol-too-new',
      message: expect.stringContaining(`needs version ${PROTOCOL_VERSION + 1} `),
    });
    await expect(claimOf({ protocol: PROTOCOL_VERSION + 1, key })).rejects.toMatchObject({
      code: 'protocol-too-new',
    });
  });

  it.each([[2.5], [0], [-1], ['4'], [null], [undefined]])(
    'whose version is no whole number from 1 (%s) is not judged by its age',
    async (protocol) => {
      await expect(claimOf({ protocol, key })).rejects.toMatchObject({
        code: 'identity-invalid',
        message: expect.stringContaining('protocol'),
      });
    },
  );
});
