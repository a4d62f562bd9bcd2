import { expect, it } from 'vitest';
import {
  agreeToMonitoring,
  type MonitoringConsent,
  monitoringConsent,
  withdrawMonitoring,
} from './consent.ts';

const consent: MonitoringConsent = {
  version: 'ab'.repeat(32),
  keepInputs: true,
  agreedAt: 1_800_000_000_000,
  statements: ['Your data: never sent'],
};

it('keeps the consent to each task by itself, until it is withdrawn', () => {
  expect(monitoringConsent('digits')).toBeNull();
  agreeToMonitoring('digits', consent);
  agreeToMonitoring('iris', { ...consent, keepInputs: false });
  expect(monitoringConsent('digits')).toEqual(consent);
  withdrawMonitoring('digits');
  expect([monitoringConsent('digits'), monitoringConsent('iris')?.keepInputs]).toEqual([null, false]);
  expect(monitoringConsent(null)).toBeNull();
});

it.each([
  ['another form', { digits: 3 }],
  ['a field that is missing', { digits: { ...consent, keepInputs: undefined } }],
  ['statements that are no texts', { digits: { ...consent, statements: [1] } }],
  ['a name of every object', {}],
])('takes %s for no consent', (_, stored) => {
  expect(monitoringConsent('digits', stored as never)).toBeNull();
  expect(monitoringConsent('constructor', stored as never)).toBeNull();
});
