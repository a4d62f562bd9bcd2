import { catalogue, formatShare } from '@coppice/ui';
import { stage } from '../run/run.ts';
import { backendWords } from '../training/backend-words.ts';
import { care } from './care.ts';
import { type CareReason, LOWEST_SHARE } from './policy.ts';
import { readings } from './readings.ts';
import {
  backendChoice,
  backendChoices,
  easeStrain,
  isBackendChoice,
  onlyPlugged,
  onlyUnmetered,
  pauseHidden,
  pauseLow,
  share,
} from './settings.ts';

const text = catalogue(
  {
    title: 'Care for this device',
    atMost: (share: string) => `at most ${share}`,
    share: 'Share of the computing time',
    shareHelp:
      'After each small batch, training rests for as long as it takes to stay below this. The model learns the same, only later.',
    low: 'Pause on low battery',
    lowHelp: 'Below 20 % and not charging.',
    plugged: 'Only when plugged in',
    pluggedHelp: 'Pauses while the device runs on battery, however full.',
    unmetered: 'Only on an unmetered network',
    unmeteredHelp: 'Pauses on mobile data, and while the browser is set to save data.',
    hidden: 'Pause while this tab is hidden',
    hiddenHelp: 'Off: training goes on while you look at something else.',
    ease: 'Slow down under strain',
    easeHelp:
      'When the same work takes well longer than at first, as on a hot device, or the processor is overloaded for a while: half the share, for two minutes.',
    backend: 'Compute with',
    fastest: 'whatever is fastest here (measured)',
    backendHelp:
      'What is fastest depends on the device and on the model; a few steps of it are measured first. A change counts from the next piece of work on.',
    holds: 'Holding training back right now.',
    silent: 'This browser does not tell, so this changes nothing here.',
    slower:
      'Taking it slower for two minutes: this device has become slower than it was at first, as hot ones do, or other programs need it.',
    pressure: 'Taking it slower for two minutes: the processor of this device is overloaded.',
  },
  {
    title: '爱护本设备',
    atMost: (share) => `最多 ${share}`,
    share: '占用的计算时间',
    shareHelp: '每训练一小批，就休息相应的时间，使占用不超过此值。模型学到的完全相同，只是更晚一些。',
    low: '电量低时暂停',
    lowHelp: '未充电且电量低于 20%。',
    plugged: '仅在接通电源时训练',
    pluggedHelp: '使用电池时暂停，无论电量多少。',
    unmetered: '仅在不计流量的网络上训练',
    unmeteredHelp: '使用移动数据时暂停；浏览器设为节省流量时也暂停。',
    hidden: '标签页隐藏时暂停',
    hiddenHelp: '关闭：你看别的内容时，训练仍继续。',
    ease: '设备吃力时放慢',
    easeHelp: '同样的工作比起初慢很多（例如设备发热），或处理器持续过载时：占用减半，持续两分钟。',
    backend: '计算方式',
    fastest: '本设备上最快的方式（实测）',
    backendHelp: '哪种方式最快，取决于设备和模型：会先用该模型实测几步。更改从下一项工作起生效。',
    holds: '目前正因此暂停。',
    silent: '本浏览器不提供此信息，因此这里不起作用。',
    slower: '接下来两分钟放慢训练：本设备比起初慢了，可能是发热，也可能是其他程序正在使用。',
    pressure: '接下来两分钟放慢训练：本设备的处理器过载。',
  },
);

export function DeviceCare() {
  const t = text();
  const { battery, network } = readings.value;
  return (
    <details class="fold" data-testid="care">
      <summary>
        {t.title}
        {share.value.value < 1 && (
          <span class="small quiet">{t.atMost(formatShare(share.value.value, 0))}</span>
        )}
      </summary>
      <div class="stack">
        <ShareSlider />
        <Switch
          id="care-low"
          label={t.low}
          help={t.lowHelp}
          told={battery !== null}
          holds={['battery']}
          setting={pauseLow}
        />
        <Switch
          id="care-plugged"
          label={t.plugged}
          help={t.pluggedHelp}
          told={battery !== null}
          holds={['unplugged']}
          setting={onlyPlugged}
        />
        <Switch
          id="care-unmetered"
          label={t.unmetered}
          help={t.unmeteredHelp}
          told={network !== null}
          holds={['metered', 'data-saving']}
          setting={onlyUnmetered}
        />
        <Switch
          id="care-hidden"
          label={t.hidden}
          help={t.hiddenHelp}
          told
          holds={['hidden']}
          setting={pauseHidden}
        />
        <BackendSelect />
        <Switch id="care-ease" label={t.ease} help={t.easeHelp} told holds={[]} setting={easeStrain} />
      </div>
    </details>
  );
}

/** Notice outside of the fold: a lower pace that the person did not choose must be explained. */
export function EasedNotice() {
  const { eased, pause } = care.value;
  if (eased === null || pause !== null || stage.value !== 'in') return null;
  return (
    <p class="note small" role="status" data-testid="eased">
      {text()[eased]}
    </p>
  );
}

function ShareSlider() {
  const t = text();
  const shown = formatShare(share.value.value, 0);
  return (
    <div class="field">
      <label for="care-share">{t.share}</label>
      <div class="row nowrap">
        <input
          id="care-share"
          data-testid="care-share"
          class="slider"
          type="range"
          min={LOWEST_SHARE * 100}
          max={100}
          step={10}
          value={Math.round(share.value.value * 100)}
          aria-valuetext={shown}
          aria-describedby="care-share-help"
          onInput={(event) => share.set(Number(event.currentTarget.value) / 100)}
        />
        <output for="care-share" class="figure">
          {shown}
        </output>
      </div>
      <span id="care-share-help" class="help">
        {t.shareHelp}
      </span>
    </div>
  );
}

function BackendSelect() {
  const t = text();
  const words = backendWords();
  return (
    <div class="field">
      <label for="care-backend">{t.backend}</label>
      <select
        id="care-backend"
        class="input"
        data-testid="care-backend"
        value={backendChoice.value.value}
        aria-describedby="care-backend-help"
        onChange={({ currentTarget: { value } }) => {
          if (isBackendChoice(value)) backendChoice.set(value);
        }}
      >
        {backendChoices.map((choice) => (
          <option key={choice} value={choice}>
            {choice === 'fastest' ? t.fastest : words[choice]}
          </option>
        ))}
      </select>
      <span id="care-backend-help" class="help">
        {t.backendHelp}
      </span>
    </div>
  );
}

interface SwitchProps {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  /** True where the browser reports the reading that the switch depends on. */
  readonly told: boolean;
  /** Reasons for a pause that the switch enables. */
  readonly holds: readonly CareReason[];
  readonly setting: { readonly value: { readonly value: boolean }; set(on: boolean): void };
}

function Switch({ id, label, help, told, holds, setting }: SwitchProps) {
  const t = text();
  const on = setting.value.value;
  const { pause } = care.value;
  return (
    <div class="choice">
      <input
        type="checkbox"
        role="switch"
        id={id}
        data-testid={id}
        checked={on}
        aria-checked={on}
        aria-describedby={`${id}-help`}
        onChange={(event) => setting.set(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        <p id={`${id}-help`} class="small quiet">
          {help} {!told && t.silent} {pause !== null && holds.includes(pause) && t.holds}
        </p>
      </div>
    </div>
  );
}
