// The door `./reading`: files of data to columns, schemas and examples. Runs anywhere, best in a worker.
export {
  type DateOrder,
  type NumberFormat,
  type Reading,
  type ReadingChoices,
  type Separator,
  separators,
  type ThousandsSign,
  thousandsSigns,
} from './choices.ts';
export type { LabelMap } from './class-of-label.ts';
export { type InspectedFile, type InspectedReason, type Inspection, inspectFile } from './inspect.ts';
export { type LabelUse, labelUses } from './label-uses.ts';
export { type ColumnMapping, mapByOrder, mapColumns } from './map-columns.ts';
export { type LeftOutColumn, type ProposedSchema, proposeSchema } from './propose-schema.ts';
export { readTable } from './read-table.ts';
export type { CellValue, ColumnKind, Table, TableColumn } from './table.ts';
export { type TakenRows, takeRows } from './take-rows.ts';
