import { catalogue } from '@coppice/ui';
import { careReasons, pauseHidden, pauseLow } from './device-care.ts';

const text = catalogue(
  {
    title: 'Care for this device',
    hidden: 'Pause while this tab is hidden',
    hiddenHelp:
      'Off: training goes on while you look at something else. On: it stops, and goes on when you are back.',
    low: 'Pause on low battery or data saving',
    lowHelp:
      'Stops below 20 % when not charging, and while the browser is told to save data. Where the browser does not tell, this does nothing.',
    holds: 'Holding training back right now.',
  },
  {
    title: '爱护本设备',
    hidden: '标签页隐藏时暂停',
    hiddenHelp: '关闭：你看别的内容时训练仍继续。打开：训练停下，你回来后再继续。',
    low: '电量低或节省流量时暂停',
    lowHelp: '未充电且电量低于 20% 时，或浏览器设为节省流量时停下。若浏览器不提供这些信息，则不起作用。',
    holds: '目前正因此暂停。',
  },
);

export function DeviceCare() {
  const t = text();
  const reasons = careReasons.value;
  return (
    <details class="fold">
      <summary>{t.title}</summary>
      <div class="stack">
        <Switch
          id="care-hidden"
          label={t.hidden}
          help={t.hiddenHelp}
          on={pauseHidden.value.value}
          onChange={pauseHidden.set}
        />
        <Switch
          id="care-low"
          label={t.low}
          help={reasons.length > 0 ? `${t.lowHelp} ${t.holds}` : t.lowHelp}
          on={pauseLow.value.value}
          onChange={pauseLow.set}
        />
      </div>
    </details>
  );
}

interface SwitchProps {
  readonly id: string;
  readonly label: string;
  readonly help: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
}

function Switch({ id, label, help, on, onChange }: SwitchProps) {
  return (
    <div class="choice">
      <input
        type="checkbox"
        role="switch"
        id={id}
        checked={on}
        aria-checked={on}
        aria-describedby={`${id}-help`}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        <p id={`${id}-help`} class="small quiet">
          {help}
        </p>
      </div>
    </div>
  );
}
