import type { Up } from '@coppice/protocol';
import { madeUpDescription } from '@coppice/protocol/testing';
import { language as inForce } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { agree, CONSENT_VERSION, type Consent, consentTo, receipt, withdraw } from './consent.ts';
import { labelFacts } from './label-facts.ts';
import { labelRows, statements } from './statements.ts';

afterEach(() => {
  inForce.value = 'en';
});

const consent: Consent = {
  version: CONSENT_VERSION,
  run: 'mnist-1',
  task: 'mnist-2nn',
  title: 'Handwritten digits',
  operator: 'A school',
  origin: 'https://example.org',
  agreedAt: Date.UTC(2026, 10, 3, 9, 30),
  language: 'en',
  statements: ['Raw data sent: 0 bytes'],
};

describe('consentTo', () => {
  it('counts for its run and its version only', () => {
    expect(consentTo('mnist-1', { 'mnist-1': consent })).toBe(consent);
    expect(consentTo('mnist-2', { 'mnist-1': consent })).toBeNull();
    expect(consentTo(null, { 'mnist-1': consent })).toBeNull();
    expect(consentTo('mnist-1', { 'mnist-1': { ...consent, version: CONSENT_VERSION - 1 } })).toBeNull();
  });

  it('is given and taken back', () => {
    agree(consent);
    expect(consentTo('mnist-1')?.operator).toBe('A school');
    withdraw('mnist-1');
    expect(consentTo('mnist-1')).toBeNull();
  });
});

describe('receipt', () => {
  it('is JSON with what was agreed to, when and with whom', () => {
    expect(JSON.parse(receipt(consent))).toMatchObject({
      kind: 'coppice-consent-receipt',
      version: CONSENT_VERSION,
      run: 'mnist-1',
      operator: 'A school',
      agreedAt: '2026-11-03T09:30:00.000Z',
      statements: ['Raw data sent: 0 bytes'],
    });
  });
});

/** A model of so many numbers, all of them trained. */
const trained = (parameters: number) => ({ parameters, trainable: parameters, frozen: 0 });

describe('the privacy label', () => {
  const facts = labelFacts(trained(199_210), { rounds: 20, clipNorm: null });

  it('names every field of what is sent besides the update', () => {
    type Small = 'join' | 'availability' | 'progress' | 'decline' | 'answer' | 'counted';
    type Fields<N extends Small> = N extends Small ? keyof Up<N> : never;
    // Names that the coordinator gave tell it nothing about this device.
    type Told = Exclude<Fields<Small>, 'run' | 'task' | 'ticket' | 'tickets' | 'has' | 'frame'>;
    // The frame of an answer has measures behind the update.
    type Measured = 'hits' | 'classExamples' | 'classHits';
    const words: Record<Told | Measured, RegExp> = {
      device: /browser/,
      backend: /computes with/,
      examples: /how many examples/,
      speed: /how fast/,
      paused: /paused/,
      stage: /how far/,
      epoch: /how far/,
      epochs: /how far/,
      step: /how far/,
      steps: /how far/,
      loss: /loss/,
      weight: /how many examples/,
      milliseconds: /how fast/,
      hits: /loss and accuracy/,
      classExamples: /how many of each class/,
      classHits: /how many of those right/,
      reason: /why it cannot/,
      invitation: /your invitation/,
    };
    const label = labelRows(facts).flat().join('\n');
    for (const word of Object.values(words)) expect(label).toMatch(word);
  });

  it('says how large an update is: four bytes a number and a header', () => {
    expect(facts.bytesPerRound).toBeGreaterThan(199_210 * 4);
    expect(facts.bytesPerRound).toBeLessThan(199_210 * 4 + 200);
  });

  it('says how large it is where the strategy sends a second vector', () => {
    const { numbers, bytesPerRound } = labelFacts(trained(199_210), { strategy: 'scaffold' });
    expect(numbers).toBe(2 * 199_210);
    expect(bytesPerRound).toBeGreaterThan(8 * 199_210);
    expect(bytesPerRound).toBeLessThan(8 * 199_210 + 200);
  });

  it('says how large it is where most of the model is frozen, and does not go up', () => {
    const { numbers, bytesPerRound } = labelFacts(
      { parameters: 199_210, trainable: 1000, frozen: 198_200 },
      {},
    );
    expect(numbers).toBe(1010);
    expect(bytesPerRound).toBe(40 + 4 * 1010);
  });

  it('says how large it is where the plan makes it smaller', () => {
    const { bytesPerRound } = labelFacts(trained(199_210), { uploadCodec: 'int8' });
    const scaffold = labelFacts(trained(199_210), { strategy: 'scaffold', uploadCodec: 'float32' });
    expect(scaffold.bytesPerRound).toBeGreaterThan(2 * 199_210 * 4);
    expect(labelRows(scaffold).flat()).toContain('398,420 numbers, 1.59 MB');
    expect(bytesPerRound).toBeGreaterThan(199_210);
    expect(bytesPerRound).toBeLessThan(199_210 * 1.01);
  });

  for (const language of ['en', 'zh'] as const) {
    it(`comes from the plan in force, in ${language}`, () => {
      inForce.value = language;
      const words = (clipNorm: number | null) =>
        labelRows(labelFacts(trained(131), { clipNorm }))
          .flat()
          .join('\n');
      expect(words(2.5)).toContain('2.5');
      expect(words(null)).not.toContain('2.5');
      expect(words(null)).toContain('131');
    });

    it(`states a protection exactly where the plan has one, in ${language}`, () => {
      inForce.value = language;
      const description = madeUpDescription();
      const facts = (noise: string) => ({
        ...labelFacts(trained(131), {}),
        label: description.consentOf(description.complete({}, { noise })),
      });
      const without = statements(facts('none'), 'A school').join('\n');
      expect(without).toMatch(/Masked or noised: no\n|掩码或加噪: 无\n/);
      expect(without).toMatch(/Updates are not masked|更新没有掩码/);
      const noised = statements(facts('local'), 'A school').join('\n');
      expect(noised).toMatch(/Masked or noised: noised on the device|掩码或加噪: 在设备上加噪/);
      expect(noised).not.toMatch(/Updates are not masked|更新没有掩码/);
    });

    it(`lists all that is agreed to in ${language}, with who runs it`, () => {
      inForce.value = language;
      const all = statements(facts, 'A school');
      expect(all.join('\n')).toContain('A school');
      expect(all.join('\n')).not.toMatch(/undefined|NaN/);
      expect(all.length).toBe(labelRows(facts).length + 6);
      // On a page without HTTPS one more thing is so, and is agreed to.
      expect(statements(facts, 'A school', { secure: false }).join('\n')).toContain('HTTPS');
      expect(all.join('\n')).not.toContain('HTTPS');
    });
  }
});
