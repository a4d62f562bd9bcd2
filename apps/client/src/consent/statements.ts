import type { ConsentLabel } from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber, localized } from '@coppice/ui';
import type { LabelFacts } from './label-facts.ts';

/*
 * The consent label. Its statements on the plan are those of the plan's fields (`consent` in the protocol's plan
 * sections); the texts here hold for every plan. A change of meaning needs a new CONSENT_VERSION.
 */
type ConsentRow = ConsentLabel['limit'];

const n = (value: number) => formatNumber(value, { maximumSignificantDigits: 6 });

export const labelText = catalogue(
  {
    title: 'What leaves this device',
    raw: 'Raw data sent',
    rawValue: '0 bytes',
    update: 'My update, each round',
    updateValue: (numbers: number, bytes: number) => `${n(numbers)} numbers, ${formatBytes(bytes)}`,
    once: 'The scale of the columns',
    account: 'Account',
    accountValue: 'none; a random id',
    also: 'Also sent',
    alsoValue:
      'how many examples, loss and accuracy on them, how many of each class and how many of those right; how far and how fast training is, whether it is paused or why it cannot go on; that this is a browser, and what it computes with (such as WebGL); your invitation, if you came by one',
    openKey:
      'This page came without HTTPS. So this browser cannot lock away the key that shows who you are: it lies readable in its storage, and anyone on the way can read and change what is sent.',
    network: 'As with any web page, the coordinator sees your network address.',
    process: (operator: string) =>
      `The model comes here, learns from your examples in this browser, and only the change in its numbers goes back; ${operator} combines it with those of all others.`,
    stays: 'Your examples stay in this browser until you delete them.',
    leavesAnytime: 'You can stop at any time. An update that was already averaged cannot be taken out again.',
    agree: 'I understand and agree that this browser takes part.',
    agreeAway: 'Possible when the coordinator is reachable again: it says what would happen.',
    version: (version: number) => `Version ${n(version)} of this text`,
    agreed: (when: string, version: number) => `You agreed on ${when} (version ${n(version)}).`,
    later: 'Also take part in later runs of this model automatically, as long as the same leaves my device.',
    withdraw: 'Withdraw',
    receipt: 'Save receipt',
    theOperator: 'the coordinator',
    consentTitle: 'Before anything starts',
    agreedTitle: 'What you agreed to',
  },
  {
    title: '哪些内容会离开本设备',
    raw: '发送的原始数据',
    rawValue: '0 字节',
    update: '每一轮我的更新',
    updateValue: (numbers, bytes) => `${n(numbers)} 个数，${formatBytes(bytes)}`,
    once: '各列的缩放',
    account: '账号',
    accountValue: '无；只有一个随机标识',
    also: '另外发送',
    alsoValue:
      '样本数量、模型在其上的损失与准确率，以及各类别的样本数量与正确数量；训练的进度与速度，是否暂停或为何无法继续；本设备是浏览器，以及其计算方式（例如 WebGL）；如果你凭邀请而来，还有该邀请',
    openKey:
      '本页不是通过 HTTPS 打开的，因此浏览器无法锁好证明你身份的密钥：它以可读的形式存放在浏览器中，而且途中的任何人都能读取和更改所发送的内容。',
    network: '与任何网页一样，协调器能看到你的网络地址。',
    process: (operator) =>
      `模型下载到本浏览器，用你的样本学习，只把数值的变化发回；${operator}把它与其他人的变化合并。`,
    stays: '你的样本留在本浏览器中，直到你删除。',
    leavesAnytime: '你可以随时停止。已经汇总的更新无法再取出。',
    agree: '我已了解，并同意本浏览器参与。',
    agreeAway: '协调器恢复连接后才能同意：由它说明会发生什么。',
    version: (version) => `本说明第 ${n(version)} 版`,
    agreed: (when, version) => `你已于 ${when} 同意（第 ${n(version)} 版）。`,
    later: '只要离开本设备的内容不变，就自动参与该模型以后的训练。',
    withdraw: '撤回同意',
    receipt: '保存回执',
    theOperator: '协调器',
    consentTitle: '开始之前',
    agreedTitle: '你同意的内容',
  },
);

/** The rows of the label: title and content. */
export function labelRows({
  label,
  numbers,
  bytesPerRound,
  once,
}: LabelFacts): readonly (readonly [string, string])[] {
  const t = labelText();
  const row = ({ label: title, value }: ConsentRow) => [localized(title), localized(value)] as const;
  return [
    [t.raw, t.rawValue],
    row(label.audience),
    [t.update, t.updateValue(numbers, bytesPerRound)],
    ...(once === undefined ? [] : [[t.once, localized(once)] as const]),
    row(label.limit),
    row(label.protection),
    [t.also, t.alsoValue],
    [t.account, t.accountValue],
  ];
}

/** The whole agreement, verbatim, for the receipt. `secure`: the page was served over HTTPS, or from this device. */
export function statements(
  facts: LabelFacts,
  operator: string,
  { secure = true }: { secure?: boolean } = {},
): readonly string[] {
  const t = labelText();
  return [
    ...labelRows(facts).map(([title, value]) => `${title}: ${value}`),
    localized(facts.label.inference),
    ...(secure ? [] : [t.openKey]),
    t.network,
    t.process(operator || t.theOperator),
    t.stays,
    t.leavesAnytime,
    t.agree,
  ];
}
