import type { OutboundRecord } from '@coppice/participant';
import { catalogue, formatBytes, formatNumber, formatTime } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { OwnId } from '../link/own-id.tsx';
import { session } from '../link/session.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    title: 'What has left this device',
    raw: 'Raw data sent',
    rawValue: '0 bytes',
    sent: 'Sent',
    messages: (count: number) => `${n(count)} ${count === 1 ? 'message' : 'messages'}`,
    why: 'No message of this program has a place for examples. Look through them yourself:',
    log: 'Outbound log',
    none: 'Nothing has been sent yet.',
    time: 'Time',
    name: 'Message',
    bytes: 'Size',
    fields: 'Content',
    norm: 'length of the update (L2)',
    weights: 'and the change of the numbers of the model',
    last: (count: number) => `The last ${n(count)}, newest first.`,
  },
  {
    title: '已离开本设备的内容',
    raw: '发送的原始数据',
    rawValue: '0 字节',
    sent: '已发送',
    messages: (count) => `${n(count)} 条消息`,
    why: '本程序的任何消息都没有放样本的位置。你可以自己逐条查看：',
    log: '发送记录',
    none: '尚未发送任何内容。',
    time: '时间',
    name: '消息',
    bytes: '大小',
    fields: '内容',
    norm: '更新的长度（L2）',
    weights: '以及模型数值的变化',
    last: (count) => `最近 ${n(count)} 条，最新在前。`,
  },
);

export function PrivacyMeter() {
  const t = text();
  const [open, setOpen] = useState(false);
  return (
    <section class="sheet stack" aria-labelledby="meter-title" id="meter">
      <h2 id="meter-title">{t.title}</h2>
      <Counters />
      <div class="small">
        <OwnId />
      </div>
      <p class="small quiet">{t.why}</p>
      <details class="fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{t.log}</summary>
        <div data-testid="outbound-log">{open && <Log />}</div>
      </details>
    </section>
  );
}

function Counters() {
  const t = text();
  const { bytes, messages } = session.sent.value;
  return (
    <dl class="facts two">
      <div>
        <dt>{t.raw}</dt>
        <dd>
          <strong class="number">{t.rawValue}</strong>
        </dd>
      </div>
      <div>
        <dt>{t.sent}</dt>
        <dd>
          <strong class="number" data-testid="bytes-sent" data-bytes={bytes}>
            {formatBytes(bytes)}
          </strong>{' '}
          <span class="quiet">{t.messages(messages)}</span>
        </dd>
      </div>
    </dl>
  );
}

/** Rendered only while it is open: it changes with every message. */
function Log() {
  const t = text();
  const records = session.outbound.value;
  if (records.length === 0) return <p class="small quiet">{t.none}</p>;
  return (
    <>
      <p class="small quiet">{t.last(records.length)}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section class="log" tabIndex={0} aria-label={t.log}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.time}</th>
              <th scope="col">{t.name}</th>
              <th scope="col">{t.bytes}</th>
              <th scope="col">{t.fields}</th>
            </tr>
          </thead>
          <tbody>
            {records.toReversed().map((record, index) => (
              <Row key={`${record.at}-${records.length - index}`} record={record} />
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Row({ record }: { record: OutboundRecord }) {
  const t = text();
  return (
    <tr>
      <td>{formatTime(record.at)}</td>
      <td>
        <code>{record.name}</code>
      </td>
      <td>{formatBytes(record.bytes)}</td>
      <td>
        <code class="log-fields">{JSON.stringify(record.fields)}</code>
        {record.norm !== undefined && (
          <span class="quiet">
            {' '}
            {t.weights}; {t.norm} {formatNumber(record.norm, { maximumSignificantDigits: 4 })}
          </span>
        )}
      </td>
    </tr>
  );
}
