import { type Checkpoint, type CoppiceError, channels, type Run } from '@coppice/protocol';
import { catalogue, formatNumber, formatShare, formatTime } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { fetchCheckpoints } from '../live/api.ts';
import { connection, may } from '../live/live.ts';
import { channelWords, formatLoss } from '../words.ts';
import { type AskedRelease, MakeProduction } from './make-production.tsx';
import { ModelFiles } from './model-files.tsx';
import { CopyButton, FailureSaid, Scroll } from './parts.tsx';
import { releaseText } from './release-texts.ts';
import { text as shared } from './texts.ts';
import type { LiveReleases } from './use-releases.ts';

const text = catalogue(
  {
    use: 'Use the latest model of this run in any web page',
    parent: 'Parent',
    first: 'Initial weights',
    hash: 'Weights hash',
    line: 'Code',
    copyLine: 'Copy code',
    all: (n: string) => `Show all ${n}`,
    parameters: (n: string) => `${n} parameters, 32-bit floats.`,
    files:
      'model.json with weights.bin is for tfjs; the float16 pair has half the size. model.safetensors holds the weights for NumPy and PyTorch, model.onnx the whole model for onnxruntime.',
  },
  {
    use: '在任意网页中使用本次训练的最新模型',
    parent: '父检查点',
    first: '初始权重',
    hash: '权重哈希',
    line: '代码',
    copyLine: '复制代码',
    all: (n) => `显示全部 ${n} 个`,
    parameters: (n) => `${n} 个参数，32 位浮点数。`,
    files:
      'model.json 与 weights.bin 用于 tfjs；float16 的一对大小减半。model.safetensors 是供 NumPy 和 PyTorch 使用的权重，model.onnx 是供 onnxruntime 使用的完整模型。',
  },
);

const FIRST = 10;

/** A run's stored models, newest first, each to download and to use in any page. */
export function Checkpoints({ run, releases }: { run: Run; releases: LiveReleases }) {
  const t = text();
  const words = shared();
  const [all, setAll] = useState<readonly Checkpoint[]>([]);
  const [whole, setWhole] = useState(false);
  const [refused, setRefused] = useState<CoppiceError | null>(null);
  const [making, setMaking] = useState<AskedRelease | null>(null);
  const live = connection.value === 'live';
  // Fetched anew when a round was committed, when the federated metrics of the last one came, and after a break.
  useEffect(() => {
    if (!live) return;
    let current = true;
    fetchCheckpoints(run.id).then(
      (checkpoints) => {
        if (current) setAll(checkpoints);
      },
      // Shown as it was; the next round asks again.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [run.id, run.checkpoint, run.status, live]);
  const base = `${location.origin}/models/${run.task}/runs/${run.id}`;
  const code = (round: string | number) =>
    `const model = await tf.loadLayersModel('${base}/${round}/model.json');`;
  const columns = [words.checkpoint, t.hash, t.parent, words.made, words.accuracy, words.loss];
  return (
    <section class="stack">
      <h2>{words.checkpoints}</h2>
      {all[0] === undefined ? (
        <p class="quiet">{words.noCheckpoints}</p>
      ) : (
        <>
          {/* First weights are not published as the latest model. */}
          {all[0].round >= 1 && (
            <div class="code-line">
              <span class="small quiet">{t.use}</span>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
              <pre tabIndex={0}>
                <code>{code('latest')}</code>
              </pre>
              <CopyButton value={code('latest')} />
            </div>
          )}
          <p class="small quiet">{t.parameters(formatNumber(all[0].parameters))}</p>
          <Scroll label={words.checkpoints} testId="checkpoints-table">
            <table>
              <thead>
                <tr>
                  {columns.map((name) => (
                    <th key={name} scope="col">
                      {name}
                    </th>
                  ))}
                  <th scope="col">{words.download}</th>
                  <th scope="col">{t.line}</th>
                  <th scope="col">{releaseText().channel}</th>
                </tr>
              </thead>
              <tbody>
                {all.slice(0, whole ? all.length : FIRST).map((one) => (
                  <tr key={one.round}>
                    <th scope="row" class="mono">
                      {one.id}
                    </th>
                    <td class="mono" title={one.hash}>
                      {one.hash.slice(0, 12)}
                    </td>
                    <td class={one.parent === null ? '' : 'mono'}>{one.parent ?? t.first}</td>
                    <td>{formatTime(one.createdAt)}</td>
                    <td>{both(one, 'accuracy', (value) => formatShare(value))}</td>
                    <td>{both(one, 'loss', formatLoss)}</td>
                    <td>
                      <ModelFiles folder={`${base}/${one.round}`} onRefused={setRefused} />
                    </td>
                    <td>
                      <CopyButton value={code(one.round)} label={t.copyLine} />
                    </td>
                    <td>
                      <Channels checkpoint={one} releases={releases} onMake={setMaking} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          {refused !== null && (
            <p class="note bad" role="alert" data-testid="file-refused">
              <FailureSaid error={refused} />
            </p>
          )}
          <p class="small quiet">{t.files}</p>
          <MakeProduction task={run.task} asked={making} live={releases} onClose={() => setMaking(null)} />
          {!whole && all.length > FIRST && (
            <p>
              <button type="button" class="button small" onClick={() => setWhole(true)}>
                {t.all(formatNumber(all.length))}
              </button>
            </p>
          )}
        </>
      )}
    </section>
  );
}

/** The channels that name a checkpoint, and the action that makes it production. */
function Channels({
  checkpoint: { id, round },
  releases,
  onMake,
}: {
  checkpoint: Checkpoint;
  releases: LiveReleases;
  onMake: (asked: AskedRelease) => void;
}) {
  const { info } = releases;
  if (info === null) return null;
  const naming = channels.filter((channel) => info.channels[channel]?.checkpoint === id);
  return (
    <span class="row nowrap tight-row">
      {naming.map((channel) => (
        <span key={channel} class={`badge ${channel === 'production' ? 'good' : ''}`}>
          {channelWords()[channel]}
        </span>
      ))}
      {/* Initial weights are never released. */}
      {round >= 1 && !naming.includes('production') && may('releases:write') && (
        <button
          type="button"
          class="button small"
          data-testid={`make-production-${id}`}
          onClick={() => onMake({ checkpoint: id, production: info.channels.production })}
        >
          {releaseText().make}
        </button>
      )}
    </span>
  );
}

/** Central metric, followed by the federated one in brackets, as far as known. */
function both(
  { central, federated }: Checkpoint,
  what: 'accuracy' | 'loss',
  format: (value: number) => string,
): string {
  const [first, second] = [central?.[what] ?? null, federated?.[what] ?? null];
  if (first === null && second === null) return '–';
  return `${first === null ? '–' : format(first)}${second === null ? '' : ` (${format(second)})`}`;
}
