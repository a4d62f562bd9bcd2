import { channels, type StartOfRun, type TaskInfo } from '@coppice/protocol';
import { catalogue, formatShare } from '@coppice/ui';
import { runs } from '../live/live.ts';
import { channelWords } from '../words.ts';
import { checkpointsToOffer } from './checkpoints-to-offer.ts';
import { useReleases } from './use-releases.ts';

/** The weights that the seed draws, where others are given with the task. */
const SEED = 'seed';

const text = catalogue(
  {
    label: 'Initial weights',
    seed: 'Drawn from the seed',
    given: 'Given with the task',
    redrawn: 'Drawn from the seed; frozen ones as given',
    help: 'Continue training from a model of this task. The state of the strategy is reset.',
  },
  {
    label: '初始权重',
    seed: '由种子生成',
    given: '任务提供的权重',
    redrawn: '由种子生成（冻结的权重沿用任务提供的值）',
    help: '选择该任务的已有模型继续训练；策略状态会重新初始化。',
  },
);

/**
 * Choice of a run's initial weights: those given with the task, or else from the seed (null); the seed in any case; a channel
 * of the task, or the newest model of one of its runs.
 */
export function StartingPoint({
  task,
  value,
  onChange,
}: {
  task: Pick<TaskInfo, 'id' | 'weights'>;
  value: StartOfRun | null;
  onChange: (from: StartOfRun | null) => void;
}) {
  const t = text();
  const { info } = useReleases(task.id);
  const named = channels.filter((channel) => info?.channels[channel]?.checkpoint != null);
  const chosen = value !== SEED && named.find((channel) => channel === value) === undefined ? value : null;
  const isGiven = task.weights === 'given';
  const offered = checkpointsToOffer(runs.value, task.id, chosen);
  return (
    <div class="field">
      <label for="run-from">{t.label}</label>
      <select
        id="run-from"
        class="input"
        data-testid="run-from"
        aria-describedby="run-from-help"
        value={value ?? ''}
        onChange={({ currentTarget }) => onChange(currentTarget.value === '' ? null : currentTarget.value)}
      >
        <option value="">{isGiven ? t.given : t.seed}</option>
        {isGiven && <option value={SEED}>{t.redrawn}</option>}
        {named.map((channel) => (
          <option key={channel} value={channel}>
            {`${channelWords()[channel]} · ${info?.channels[channel]?.checkpoint}`}
          </option>
        ))}
        {offered.map(({ id, accuracy }) => (
          <option key={id} value={id}>
            {accuracy === null ? id : `${id} · ${formatShare(accuracy)}`}
          </option>
        ))}
      </select>
      <p class="help" id="run-from-help">
        {t.help}
      </p>
    </div>
  );
}
