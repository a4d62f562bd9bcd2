// The menu of this room. Inside the room, import the file.
export { comparisonEvidence } from './comparison/evidence.ts';
export {
  type Compared,
  comparisonLayout,
  largestComparisonNorm,
  MAX_COMPARED,
  type Slice,
  slicesOf,
} from './comparison/layout.ts';
export { type ComparedExample, comparisonMeasures } from './comparison/measure.ts';
export { refusesComparison } from './comparison/refuses.ts';
export { Adwin, type AdwinOptions, type AdwinState } from './detectors/adwin.ts';
export type { Detector } from './detectors/detector.ts';
export { PageHinkley, type PageHinkleyOptions, type PageHinkleyState } from './detectors/page-hinkley.ts';
export { featureColumns } from './monitor/feature-columns.ts';
export { type GuardedArm, Monitor, type Observation } from './monitor/monitor.ts';
export { pictureColumns } from './monitor/picture.ts';
export { withReturned } from './monitor/returned.ts';
export { type MonitorState, readMonitorState } from './monitor/state.ts';
export { agreedBinning, firstBinning } from './reference/agree.ts';
export { type Binning, BinningSchema, type ColumnBins, type PredictionBins } from './reference/binning.ts';
export { OwnStatistics } from './reference/own-statistics.ts';
export {
  identityOf,
  type Moment,
  type Reference,
  ReferenceSchema,
  referenceOf,
} from './reference/reference.ts';
export { consentVersion, type ReportTerms } from './report/consent.ts';
export { guardEvidence } from './report/guards.ts';
export { guardedArms, MAX_OBSERVATIONS, reportLayout } from './report/layout.ts';
export { largestNorm } from './report/norm.ts';
export { type Refusal, type RefusalName, type Report, refuses } from './report/refuses.ts';
export { layoutOf, type ReportKind, statisticsLayout } from './report/statistics-layout.ts';
export { MINIMUM_COUNT, summarise } from './report/summarise.ts';
export type { Sums } from './report/sums.ts';
export { withheld } from './report/withheld.ts';
export { type Arm, armOfDraw } from './rules/arms.ts';
export {
  type CanaryDecision,
  type CanaryEvidence,
  type CanaryReason,
  type CanaryRule,
  CanaryRuleSchema,
  type Guard,
  parseCanary,
} from './rules/canary.ts';
export { dueAfter, parseCron } from './rules/cron.ts';
export { decide, type Rules } from './rules/decide.ts';
export {
  type GateEvidence,
  type GateReason,
  type GateRule,
  GateRuleSchema,
  parseGate,
} from './rules/gate.ts';
export { type Policy, PolicySchema, parsePolicy } from './rules/policy.ts';
export type { Decision, ParsedRule, RuleRefusal, RuleRefusalName } from './rules/rule.ts';
export {
  type Cost,
  type PeriodEvidence,
  parseTrigger,
  type TriggerEvidence,
  type TriggerReason,
  type TriggerRule,
  TriggerRuleSchema,
} from './rules/trigger.ts';
export { defaultWatch, parseWatch, type WatchRule, WatchRuleSchema } from './rules/watch.ts';
export {
  type ClusteredMean,
  type ClusterSums,
  clusteredLower,
  clusteredMean,
  clusteredTest,
} from './statistics/clustered-mean.ts';
export { binnedKolmogorovSmirnov, stabilityIndex } from './statistics/histograms.ts';
export { type Discordant, type McNemar, mcnemar } from './statistics/mcnemar.ts';
export { benjaminiHochberg } from './statistics/multiple-testing.ts';
export { obrienFlemingSpending, spendingBounds } from './statistics/spending.ts';
export { AlarmBounds } from './verdict/alarm-bounds.ts';
export {
  type ErrorVerdict,
  type HistogramVerdict,
  judge,
  type QualityVerdict,
  type Tested,
  type Verdict,
  type VerdictOptions,
} from './verdict/verdict.ts';
