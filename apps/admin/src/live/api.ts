import {
  type Checkpoint,
  CheckpointSchema,
  CoppiceError,
  type CreateRun,
  type CreateTask,
  errorCodes,
  type Round,
  RoundSchema,
  type Run,
  type RunAction,
  RunSchema,
  type TaskInfo,
  TaskInfoSchema,
} from '@coppice/protocol';
import { array, object, boolean as flag, type ZodMiniType } from 'zod/mini';
