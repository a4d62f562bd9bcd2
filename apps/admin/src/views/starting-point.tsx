import { type Channel, type CheckpointId, channels } from '@coppice/protocol';
import { catalogue, formatShare } from '@coppice/ui';
import { runs } from '../live/live.ts';
import { channelWords } from '../words.ts';
import { checkpointsToOffer } from './checkpoints-to-offer.ts';
import { useReleases } from './use-releases.ts';

const text = catalogue(
  {
    label: 'Initial weights',
    seed: 'Drawn from the seed',
    help: 'Continue training from a model of this task. The state of the strategy is reset.',
  },
  {
    label: '初始权重',
    seed: '由种子生成',
    help: '选择该任务的已有模型继续训练；策略状态会重新初始化。',
  },
);

/** Choice of a run's initial weights: the seed (null), a channel of the task, or the newest model of one of its runs. */
export function StartingPoint({
  task,
  value,
  onChange,
}: {
  task: string;
  value: CheckpointId | Channel | null;
  onChange: (from: CheckpointId | Channel | null) => void;
}) {
  const t = text();
  const { info } = useReleases(task);
  const named = channels.filter((channel) => info?.channels[channel]?.checkpoint != null);
  const chosen = named.find((channel) => channel === value) === undefined ? value : null;
  const offered = checkpointsToOffer(runs.value, task, chosen);
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
        <option value="">{t.seed}</option>
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
