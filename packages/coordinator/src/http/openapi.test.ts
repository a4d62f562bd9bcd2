import { planFields } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { openApiDocument } from './openapi.ts';

interface PlanJson {
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
}

it('describes each plan field, with its default, in a whole plan and in a request', () => {
  const { components } = openApiDocument('1') as {
    components: { schemas: { Plan: PlanJson; CreateRun: { properties: { plan: PlanJson } } } };
  };
  const { Plan: whole, CreateRun } = components.schemas;
  const asked = CreateRun.properties.plan;
  for (const plan of [whole, asked]) {
    expect(Object.keys(plan.properties)).toEqual(Object.keys(planFields));
    for (const [name, { help, consequence, default: initial }] of Object.entries(planFields)) {
      const property = plan.properties[name];
      expect(property?.description, name).toContain(`${help.en} ${consequence.en}`);
      expect(property?.default, name).toBe(initial);
    }
  }
  expect(whole.properties.deadlineSeconds?.description).toMatch(/Unit: seconds\.$/);
  expect(whole.properties.serverLearningRate?.description).toContain('Only with the strategy fedavg');
  // A parameter is in a plan of its strategies alone; all else always is.
  expect(whole.required).toContain('strategy');
  expect(whole.required).not.toContain('serverLearningRate');
  expect(asked.required).toBeUndefined();
});
