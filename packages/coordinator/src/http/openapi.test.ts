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

it('describes both kinds of column of a task, and the scaling of a numeric target', () => {
  const { components } = openApiDocument('1') as { components: { schemas: { CreateTask: TaskJson } } };
  const kinds = (all: readonly ObjectJson[]) =>
    Object.fromEntries(
      all.map(({ properties }) => [properties['kind']?.const ?? '', Object.keys(properties).sort()]),
    );
  const [, table] = components.schemas.CreateTask.properties.data.oneOf;
  expect(kinds(table.properties.features.items.oneOf)).toEqual({
    number: ['kind', 'max', 'mean', 'min', 'name', 'scale', 'unit'],
    category: ['help', 'kind', 'name', 'values'],
  });
  expect(kinds(table.properties.target.oneOf)['number']).toEqual([
    'kind',
    'max',
    'mean',
    'min',
    'name',
    'scale',
    'unit',
  ]);
});

interface ObjectJson {
  readonly properties: Readonly<Record<string, { readonly const?: string }>>;
}
interface TaskJson {
  readonly properties: {
    readonly data: {
      readonly oneOf: readonly [
        ObjectJson,
        {
          readonly properties: {
            readonly features: { readonly items: { readonly oneOf: readonly ObjectJson[] } };
            readonly target: { readonly oneOf: readonly ObjectJson[] };
          };
        },
      ];
    };
  };
}
