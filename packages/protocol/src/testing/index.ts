export { anyBytes, anyText, anyValue, attempt, damaged, mutated, survives } from './arbitraries.ts';
export { sampleEvents, sampleFacts } from './event-samples.ts';
export { madeUpDescription } from './made-up-plan.ts';
export { type Draw, drawsOf, mutateBytes, mutateValue } from './mutate.ts';
export {
  sampleAnswerFrame,
  sampleContribution,
  sampleDown,
  sampleEncodedFrame,
  sampleFrame,
  sampleLayout,
  samplePlan,
  sampleReplies,
  sampleTask,
  sampleUp,
} from './samples.ts';
