import { describe, expect, it } from 'vitest';
import { forgetInvitation, invitation, invitationIn, secretFor } from './invitation.ts';

const at = (rest: string) => invitationIn(new URL(`https://example.org/${rest}`));

describe('invitationIn', () => {
  it('reads run and secret, and nothing where one is missing', () => {
    expect(at('?run=iris-3#invite=join-a_b-c')).toEqual({ run: 'iris-3', secret: 'join-a_b-c' });
    expect(at('?run=iris-3&x=1#y=2&invite=s')).toEqual({ run: 'iris-3', secret: 's' });
    for (const none of ['', '?run=iris-3', '#invite=s', '?run=iris-3#invite=', '?run=iris-3&invite=s'])
      expect(at(none)).toBeNull();
  });
});

describe('secretFor', () => {
  it('is for the run of the link, until it is forgotten', () => {
    invitation.set({ run: 'iris-3', secret: 's' });
    expect(secretFor('iris-3')).toBe('s');
    expect(secretFor('iris-4')).toBeNull();
    forgetInvitation('iris-4');
    expect(secretFor('iris-3')).toBe('s');
    forgetInvitation('iris-3');
    expect(secretFor('iris-3')).toBeNull();
  });
});
