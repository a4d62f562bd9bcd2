import { CoppiceError } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { type FoundModel, readModel, readModelAt } from '../model/read-model.ts';
import { FailureSaid } from './parts.tsx';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    files: 'Files of a model',
    drop: 'Or drop them here: model.json with its .bin files, a zip of these, a .keras or an .h5.',
    address: 'Address of a model on this coordinator',
    fetch: 'Load',
    reading: 'Reading the model',
    format: 'Format',
    layers: 'Layers with weights',
    parameters: 'Parameters',
    unknown: 'known once the task is added',
    ofWhich: (trained: string, frozen: string) => `${trained} trained, ${frozen} frozen`,
    frozen: 'Frozen layers',
    none: 'none',
    more: (names: string, count: number) => `${names} and ${n(count)} more`,
    weights: 'Weights',
    noWeights: 'none in these files: the seed of a run draws them',
    give: (size: string) => `Give them with the task (${size})`,
    begins: 'Runs of the task begin with these weights, and frozen layers keep theirs.',
    drawn: 'The weights are left out: the seed of a run draws them.',
    needed: 'Frozen layers need weights: without them they would stay random, and the task would be refused.',
    bins: 'Choose the .bin files too.',
    join: ', ',
    sending: 'Sending the weights',
  },
  {
    files: '模型文件',
    drop: '也可拖到这里：model.json 及其 .bin 文件、包含它们的 zip、.keras 或 .h5。',
    address: '本协调器上模型的地址',
    fetch: '载入',
    reading: '正在读取模型',
    format: '格式',
    layers: '含权重的层',
    parameters: '参数',
    unknown: '添加任务后可知',
    ofWhich: (trained, frozen) => `可训练 ${trained} 个，冻结 ${frozen} 个`,
    frozen: '冻结的层',
    none: '无',
    more: (names, count) => `${names}等，另有 ${n(count)} 层`,
    weights: '权重',
    noWeights: '这些文件不含权重：由训练的种子生成',
    give: (size) => `随任务提供（${size}）`,
    begins: '该任务的训练从这些权重开始，冻结的层保持不变。',
    drawn: '不使用这些权重：由训练的种子生成。',
    needed: '冻结的层需要权重：否则它们将保持随机值，任务会被拒绝。',
    bins: '请同时选择 .bin 文件。',
    join: '、',
    sending: '正在上传权重',
  },
);

const formats = { tfjs: 'tfjs (model.json)', 'keras-2': 'Keras 2', 'keras-3': 'Keras 3' } as const;
const MOST_LAYERS = 5;

/** A model that was read, and whether its weights are given with the task. */
export interface ChosenModel extends FoundModel {
  readonly isGiven: boolean;
}

/** Choice of a model by its files or its address, what they hold, and what begins from what. */
export function ModelFields({
  chosen,
  onChoose,
  error,
  sent,
}: {
  chosen: ChosenModel | null;
  onChoose: (chosen: ChosenModel | null) => void;
  /** A refusal of the model or its weights by the coordinator. */
  error: CoppiceError | null;
  /** The share of the weights that is sent, 0–1; null where none are being sent. */
  sent: number | null;
}) {
  const t = text();
  const [reading, setReading] = useState(false);
  const [fault, setFault] = useState<CoppiceError | null>(null);
  const [over, setOver] = useState(false);
  const [address, setAddress] = useState('');
  /** The number of the last attempt: an earlier one that ends later counts no more. */
  const attempt = useRef(0);
  const read = async (work: () => Promise<FoundModel>) => {
    attempt.current++;
    const mine = attempt.current;
    setReading(true);
    setFault(null);
    onChoose(null);
    try {
      const found = await work();
      if (mine === attempt.current) onChoose({ ...found, isGiven: found.weights !== null });
    } catch (thrown) {
      if (mine === attempt.current) setFault(CoppiceError.from(thrown));
    }
    if (mine === attempt.current) setReading(false);
  };
  const take = (files: FileList | null | undefined) => {
    const list = [...(files ?? [])];
    if (list.length > 0) void read(() => readModel(list));
  };
  const shown = fault ?? error;
  return (
    <section
      class={`stack tight model-files ${over ? 'over' : ''}`}
      aria-label={t.files}
      data-testid="model-drop"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <div class="field">
        <label for="task-file">{t.files}</label>
        <input
          id="task-file"
          class="input"
          type="file"
          multiple
          accept=".json,.bin,.zip,.keras,.h5,.hdf5,application/json"
          aria-describedby="task-file-help"
          data-testid="task-file"
          onChange={({ currentTarget }) => {
            take(currentTarget.files);
            currentTarget.value = '';
          }}
        />
        <p class="help" id="task-file-help">
          {t.drop}
        </p>
      </div>
      <div class="field">
        <label for="model-address">{t.address}</label>
        <div class="row tight-row">
          <input
            id="model-address"
            class="input"
            data-testid="model-address"
            placeholder="/models/leaves/production/model.json"
            value={address}
            onInput={({ currentTarget }) => setAddress(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              // The task is not added by it.
              event.preventDefault();
              if (address.trim() !== '') void read(() => readModelAt(address.trim()));
            }}
          />
          <button
            type="button"
            class="button"
            data-testid="model-load"
            disabled={reading || address.trim() === ''}
            onClick={() => void read(() => readModelAt(address.trim()))}
          >
            {t.fetch}
          </button>
        </div>
      </div>
      <div class="stack tight" role="status">
        {reading && <p>{t.reading}…</p>}
        {chosen !== null && <Found chosen={chosen} onGive={(isGiven) => onChoose({ ...chosen, isGiven })} />}
      </div>
      {sent !== null && (
        <label class="row tight-row small">
          {t.sending}
          <progress max={1} value={sent} data-testid="weights-progress" />
        </label>
      )}
      {shown !== null && (
        <p class="note bad" role="alert" data-testid="model-error">
          <FailureSaid error={shown} />
        </p>
      )}
    </section>
  );
}

function Found({ chosen, onGive }: { chosen: ChosenModel; onGive: (isGiven: boolean) => void }) {
  const t = text();
  const { summary, weights, isGiven } = chosen;
  const { format, layers, frozenLayers, parameters, frozen } = summary;
  const names = frozenLayers.slice(0, MOST_LAYERS).join(t.join);
  const rest = frozenLayers.length - MOST_LAYERS;
  const given = weights !== null && isGiven;
  return (
    <>
      <dl class="facts" data-testid="model-found">
        <div>
          <dt>{t.format}</dt>
          <dd>{formats[format]}</dd>
        </div>
        <div>
          <dt>{t.layers}</dt>
          <dd>{n(layers)}</dd>
        </div>
        <div>
          <dt>{t.parameters}</dt>
          <dd>
            {parameters === null || frozen === null
              ? t.unknown
              : `${n(parameters)} · ${t.ofWhich(n(parameters - frozen), n(frozen))}`}
          </dd>
        </div>
        <div>
          <dt>{t.frozen}</dt>
          <dd>{frozenLayers.length === 0 ? t.none : rest > 0 ? t.more(names, rest) : names}</dd>
        </div>
        <div>
          <dt>{t.weights}</dt>
          <dd>
            {weights === null ? (
              t.noWeights
            ) : (
              <label class="check">
                <input
                  type="checkbox"
                  checked={isGiven}
                  data-testid="weights-given"
                  onChange={({ currentTarget }) => onGive(currentTarget.checked)}
                />
                {t.give(formatBytes(weights.byteLength))}
              </label>
            )}
          </dd>
        </div>
      </dl>
      {given && <p class="note good">{t.begins}</p>}
      {!given && frozenLayers.length > 0 && (
        <p class="note warn">{weights === null ? `${t.needed} ${t.bins}` : t.needed}</p>
      )}
      {!given && weights !== null && frozenLayers.length === 0 && <p class="note">{t.drawn}</p>}
    </>
  );
}
