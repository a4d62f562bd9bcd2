// The menu of this room. Inside the room, import the file.
export {
  type AcceptInvitation,
  AcceptInvitationSchema,
  type Account,
  AccountSchema,
  type Admin,
  type AdminInvitation,
  AdminInvitationSchema,
  AdminSchema,
  type AdminSession,
  AdminSessionSchema,
  type ApiToken,
  ApiTokenSchema,
  type AuditAction,
  type AuditEntry,
  AuditEntrySchema,
  auditActions,
  ChangeAdminSchema,
  type CreateToken,
  CreateTokenSchema,
  InviteAdminSchema,
  type Login,
  LoginSchema,
  MIN_PASSWORD,
  type NewAdminInvitation,
  NewAdminInvitationSchema,
  type NewApiToken,
  NewApiTokenSchema,
  type Role,
  RoleSchema,
  roleScopes,
  roles,
  type Scope,
  type SessionState,
  SessionStateSchema,
  scopes,
  tokenScopes,
} from './api/access.ts';
export {
  type AdminMessage,
  type AdminName,
  adminMessages,
  type Event,
  EventSchema,
  type ParticipantRow,
  ParticipantRowSchema,
} from './api/admin.ts';
export {
  type Ban,
  BanSchema,
  type ChangeAdmission,
  ChangeAdmissionSchema,
  ChangeTaskAdmissionSchema,
  type CreateBan,
  CreateBanSchema,
  type CreateRunInvitation,
  CreateRunInvitationSchema,
  type ListedParticipant,
  ListedParticipantSchema,
  type ListParticipants,
  ListParticipantsSchema,
  type NewRunInvitation,
  NewRunInvitationSchema,
  type NewTaskInvitation,
  NewTaskInvitationSchema,
  type RunAdmission,
  RunAdmissionSchema,
  type RunInvitation,
  RunInvitationSchema,
  type TaskAdmission,
  TaskAdmissionSchema,
  type TaskInvitation,
  TaskInvitationSchema,
} from './api/admission.ts';
export {
  FireSchema,
  type Firing,
  type FiringCause,
  type FiringOutcome,
  FiringOutcomeSchema,
  FiringSchema,
  type FiringState,
  FiringsSchema,
  gateChecks,
  type PolicyInfo,
  PolicyInfoSchema,
  type PutPolicy,
  PutPolicySchema,
  type ReleaseReference,
  ReleaseReferenceSchema,
  type WatchInfo,
  WatchInfoSchema,
  type WatchState,
  WatchStateSchema,
} from './api/continuity.ts';
export {
  type DriftVerdict,
  DriftVerdictSchema,
  type PeriodSummary,
  PeriodSummarySchema,
  type WatchedPeriod,
  WatchedPeriodSchema,
} from './api/drift.ts';
export {
  type EventData,
  type EventKind,
  eventData,
  eventKinds,
  type KnownEvent,
  knownEvent,
} from './api/event-data.ts';
export {
  type Checkpoint,
  CheckpointSchema,
  type CreatedTask,
  CreatedTaskSchema,
  type CreateRun,
  CreateRunSchema,
  type CreateTask,
  CreateTaskSchema,
  type GivenWeights,
  GivenWeightsSchema,
  type Info,
  InfoSchema,
  type RunAction,
  RunActionSchema,
  type StartOfRun,
  StartOfRunSchema,
  type TaskInfo,
  TaskInfoSchema,
} from './api/http.ts';
export {
  type MoveChannel,
  MoveChannelSchema,
  type Releases,
  ReleasesSchema,
  type UndoRelease,
  UndoReleaseSchema,
} from './api/releases.ts';
export { classFinder } from './class-names.ts';
export {
  type Codec,
  CodecSchema,
  codecs,
  encodedBytes,
  entriesOf,
  INT4_BLOCK,
  INT8_BLOCK,
  int4BlockBytes,
  type ModelSize,
  payloadBytes,
} from './codec.ts';
export {
  type ContributionLayout,
  ContributionLayoutSchema,
  contributionBytes,
  contributionHash,
  contributionSize,
  FROZEN_ROLE,
  requiresOfLayout,
  type Section,
  sectionBytes,
  sectionLayout,
  sectionsOf,
  type TensorRole,
  TensorRoleSchema,
  type TensorSpec,
  TensorSpecSchema,
  tensorSize,
} from './contribution.ts';
export { type Checksum, crc32 } from './crc32.ts';
export { type DataWarning, warningsOfData } from './data-faults.ts';
export {
  type Ask,
  type ExchangeKind,
  exchangeKinds,
  FROZEN_PARCEL,
  type Parcel,
  type TaskAsk,
  type TaskExchangeKind,
  taskExchangeKinds,
} from './down/ask.ts';
export type { Peers } from './down/peers.ts';
export type { ReleaseNews } from './down/release.ts';
export type { RoundEnd } from './down/round-end.ts';
export type { RunEnd } from './down/run-end.ts';
export type { ScalingAgreed } from './down/scaling.ts';
export type { Welcome } from './down/welcome.ts';
export { downMessages } from './down.ts';
export {
  CoppiceError,
  type ErrorCode,
  errorCodeList,
  errorCodes,
  isErrorCode,
  type Retry,
  type WireError,
} from './errors.ts';
export {
  type FactsCode,
  type FailureFacts,
  failureFacts,
  type KnownFailure,
  knownFailure,
} from './failure.ts';
export { featureLayerOf } from './feature-layer.ts';
export {
  decodeFrame,
  decodeHeader,
  emptyFrame,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER_BYTES,
  FRAME_VERSION,
  type Frame,
  type FrameExpectation,
  type FrameHeader,
  type FrameKind,
  float32Payload,
  frameKinds,
  frameLayout,
  readFloat32Payload,
  type SealedHeader,
  sealFrame,
} from './frame.ts';
export { HashSchema } from './hash.ts';
export { proofBytes } from './identity.ts';
export { type Json, type JsonObject, JsonSchema } from './json.ts';
export { type DescribedMessage, type DescribedWire, describeWire } from './json-schemas.ts';
export {
  isFrozen,
  type Layout,
  LayoutSchema,
  layoutHash,
  layoutSize,
  type ModelParts,
  modelParts,
  modelSize,
  shapeSize,
  utf8,
  type WeightSpec,
  weightsHash,
} from './layout.ts';
export {
  MAX_COHORT,
  MAX_CONTROL_BYTES,
  MAX_EVIDENCE,
  MAX_EXAMPLES,
  MAX_LISTED_RUNS,
  MAX_LOSS,
  MAX_MESSAGE_BYTES,
  MAX_MODEL_BYTES,
  MAX_MONITORED_TASKS,
  MAX_STEPS_BYTES,
  MAX_TEXT,
  MAX_TRAINING_MILLISECONDS,
  MAX_UNPROVEN_BYTES,
  MAX_WATCHED_RUNS,
  PIECE_BYTES,
  PIECE_WINDOW,
} from './limits.ts';
export {
  type Cause,
  CauseSchema,
  type CheckpointId,
  CheckpointIdSchema,
  checkpointId,
  partsOfCheckpointId,
} from './lineage.ts';
export type { LocalTraining, Measured, Objective } from './local-training.ts';
export {
  type Down,
  type DownName,
  firstIssue,
  parseMessage,
  parseSafely,
  type Reply,
  type Up,
  type UpName,
  type UpValue,
} from './messages.ts';
export {
  defaultMetrics,
  faultOfTarget,
  fittingMetrics,
  isErrorMetric,
  reachesTarget,
  type StopAt,
} from './metric.ts';
export {
  addClassified,
  addMetricSums,
  briefMetrics,
  emptyMetricSums,
  type MetricForm,
  type MetricSumSpec,
  type MetricSums,
  metricForm,
  metricSumSpecs,
  metricValues,
  SCORE_BINS,
} from './metric-sums.ts';
export { pictureBounds, pictureNumber, pictureNumbers, pictureRange } from './picture-range.ts';
export { isHeaderAlone, pieceBytes, pieceCount, pieceOf, travelling } from './pieces.ts';
export type { ConsentLabel } from './plan/consent.ts';
export type { PlanDescription } from './plan/description.ts';
export type { PlanField, PlanInput, PlanValue, PlanValues } from './plan/field.ts';
export {
  completePlan,
  consentLabel,
  defaultPlan,
  type Plan,
  type PlanFieldName,
  PlanInputSchema,
  type PlanInputValues,
  PlanSchema,
  parametersOf,
  planDescription,
  planFields,
  requiresOf,
  SentPlanSchema,
  type StrategyParameters,
} from './plan/plan.ts';
export { PLAN_VERSION, readStoredPlan } from './plan/stored.ts';
export type { StrategyName } from './plan/strategies/index.ts';
export { type RunTerms, runTerms, termsVersion } from './plan/terms.ts';
export { type ModelNumbers, modelNumbers, type Travel, travelOf } from './plan/travel.ts';
export { movesBySteps } from './plan/wire.ts';
export {
  dataCapabilities,
  objectiveCapabilities,
  recipeHash,
  requiresOfData,
  requiresOfObjective,
} from './recipe.ts';
export { type Channel, ChannelSchema, channels, type Release, ReleaseSchema } from './release.ts';
export { frameBytes, type Model } from './reply.ts';
export {
  type Admission,
  AdmissionSchema,
  type FirstWeights,
  type Metrics,
  MetricsSchema,
  type MetricValues,
  type Outcome,
  ParticipantIdSchema,
  type Phase,
  type Quartiles,
  QuartilesSchema,
  type Reason,
  type Round,
  RoundSchema,
  type Run,
  RunIdSchema,
  RunSchema,
  type RunStatus,
  type RunSummary,
  RunSummarySchema,
} from './run.ts';
export {
  type AgreedColumn,
  type AgreedScaling,
  agreedColumns,
  awaitsScaling,
  FEWEST_EXAMPLES_TO_AGREE,
  FEWEST_TO_AGREE,
  hasAgreedScaling,
  scalingIn,
  withScaling,
} from './scaling.ts';
export {
  hasScaledTarget,
  type TargetColumn,
  type TargetScaling,
  targetColumns,
  targetError,
  targetOf,
  targetScaling,
  targetSize,
  targetUnit,
} from './target.ts';
export {
  type CategoryFeature,
  classesOf,
  type DataSchema,
  DataSchemaSchema,
  DEFAULT_HELD_OUT,
  DEFAULT_HUBER_DELTA,
  DEFAULT_THRESHOLD,
  exampleSize,
  type Feature,
  featureWidth,
  groupsOf,
  type ImageData,
  inputSize,
  type Localized,
  LocalizedSchema,
  type Loss,
  type MetricName,
  metricNames,
  type PictureRange,
  PictureRangeSchema,
  type TableData,
  type Task,
  TaskIdSchema,
  TaskSchema,
  type Topology,
  TopologySchema,
} from './task.ts';
export { PARTICIPANT_HEADER, TICKET_HEADER, TicketSchema } from './ticket.ts';
export {
  ANSWER_TIMEOUT,
  CHECK_TIMEOUT,
  FIRST_PAUSE,
  GRACE_AFTER_RESTART,
  HEARTBEAT_INTERVAL,
  LONGEST_PAUSE,
  MODEL_JOB_TIMEOUT,
  REST_TIMEOUT,
  SILENCE_TIMEOUT,
} from './timeouts.ts';
export { tolerant } from './tolerant.ts';
export type { Answer } from './up/answer.ts';
export type { AnswerPiece } from './up/answer-piece.ts';
export type { Availability } from './up/availability.ts';
export type { Decline } from './up/decline.ts';
export { type Hello, HelloSchema } from './up/hello.ts';
export type { Join, Joined } from './up/join.ts';
export type { ParcelPiece } from './up/parcel.ts';
export type { Progress } from './up/progress.ts';
export type { Watch } from './up/watch.ts';
export { upMessages } from './up.ts';
export { OLDEST_SERVED_VERSION, PROTOCOL_VERSION, RELEASED_VERSION } from './version.ts';
