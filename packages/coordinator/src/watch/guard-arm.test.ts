import { type Arm, identityOf, Monitor, reportLayout, summarise } from '@coppice/continuity';
import { sectionsOf } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { ensureOwnArm } from './guard-arm.ts';
import { binning, reportAnswer } from './report.testing.ts';

const identity = identityOf(binning);
const sections = sectionsOf(reportLayout(binning, identity));

/** The report of a device that counts by an arm. */
function reportOf(arm: Arm) {
  const monitor = new Monitor(binning, identity);
  monitor.guard(arm === 'none' ? null : { canary: 2, arm, model: 'm' });
  for (let i = 0; i < 10; i++) {
    monitor.observe({ columns: [0, 0], prediction: 0, id: `${i}`, model: 'm' });
    monitor.outcome(`${i}`, 0);
  }
  return reportAnswer(summarise(monitor.state(), binning) as Float32Array);
}

it('takes reports that tell of the arm of their sender, or of none', () => {
  for (const arm of ['canary', 'control', 'none'] as const) {
    expect(() => ensureOwnArm(reportOf(arm), sections, arm)).not.toThrow();
    expect(() => ensureOwnArm(reportOf('none'), sections, arm)).not.toThrow();
  }
});

// No outcome was wrong: the arm's presence alone tells of it.
it.each<[Arm, Arm]>([
  ['canary', 'control'],
  ['control', 'canary'],
  ['canary', 'none'],
  ['control', 'none'],
])('refuses a report of the arm %s of a sender with the arm %s', (told, own) => {
  expect(() => ensureOwnArm(reportOf(told), sections, own)).toThrow(
    expect.objectContaining({ code: 'update-measure' }),
  );
});

it('refuses errors of another arm that are hidden behind its absence', () => {
  const answer = reportOf('canary');
  const bytes = (answer.frame as Uint8Array).slice();
  new DataView(bytes.buffer).setFloat32(bytes.byteLength - 4, 0.5, true);
  expect(() => ensureOwnArm({ frame: bytes }, sections, 'canary')).toThrow(
    expect.objectContaining({ code: 'update-measure' }),
  );
});
