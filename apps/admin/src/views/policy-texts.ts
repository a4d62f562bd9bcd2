import { catalogue, formatNumber } from '@coppice/ui';
import type { NumberName, PeriodUnit } from '../monitoring/policy-form.ts';

/** A field's label, and its help. */
export interface FieldText {
  readonly label: string;
  readonly help: string;
}

const english: Readonly<Record<NumberName | 'trigger.schedule', FieldText>> = {
  period: {
    label: 'Length of a period',
    help: 'Each device reports once a period. Longer periods have more data behind each result; shorter ones show drift sooner. Changing it asks participants for their consent again.',
  },
  'watch.threshold': {
    label: 'Drift threshold',
    help: 'Smaller shifts raise no alarm, however certain they are (population stability index: 0.1 is small, 0.25 is large).',
  },
  'watch.every': {
    label: 'Periods per false alarm',
    help: 'Without any drift, one period in this many has a false alarm, over all distributions together. Data quality has the same promise of its own.',
  },
  'watch.fewest': {
    label: 'Fewest devices',
    help: 'Results that rest on fewer devices are not shown and not tested. The rate of false alarms holds from 5 devices on; a few devices reveal large shifts only.',
  },
  'watch.minimum': {
    label: 'Fewest predictions on a device',
    help: 'A device with fewer predictions in a period reports nothing. Changing it asks participants for their consent again.',
  },
  'privacy.rho': {
    label: 'Cost of a report or comparison (ρ)',
    help: 'Smaller means more noise and less information about each device (zero-concentrated differential privacy).',
  },
  'privacy.epsilon': {
    label: 'Budget (ε)',
    help: 'What all reports and comparisons of this task may cost one participant. Once it is spent, nothing more is asked.',
  },
  'privacy.delta': { label: 'Budget (δ)', help: 'The δ at which ε is counted.' },
  'trigger.drift.raise': {
    label: 'Periods with an alarm, in a row',
    help: 'More of them avoid retraining for a passing change, but react later.',
  },
  'trigger.drift.clear': {
    label: 'Quiet periods, in a row',
    help: 'After a release, alarms count again once this many periods were quiet.',
  },
  'trigger.schedule': {
    label: 'Schedule (cron line, UTC)',
    help: 'Minute, hour, day, month and weekday. “0 3 * * 1” is every Monday at 3:00. Empty: no schedule.',
  },
  'trigger.newExamples': {
    label: 'New examples',
    help: 'Retraining starts once devices have this many new examples since the last time. Empty: not a cause.',
  },
  'trigger.floor.error': {
    label: 'Mean error above (%)',
    help: 'Counts only where outcomes are reported, and where the error is above this with 97.5 % certainty.',
  },
  'trigger.floor.raise': { label: 'Periods above it, in a row', help: 'More of them react later.' },
  'trigger.coolDown': {
    label: 'Cool-down (periods)',
    help: 'The shortest time between two retrainings. Each one in a row without a release doubles it, up to sixteen times.',
  },
  'trigger.stall': {
    label: 'Stop a stalled run after (periods)',
    help: 'A run that completes no round for this long is stopped. Never less than an hour, or than twice the round deadline. Empty: 3.',
  },
  'trigger.budget.periods': {
    label: 'Budget period (periods)',
    help: 'The limits below hold for all retraining in this many periods together.',
  },
  'trigger.budget.rounds': { label: 'Most rounds', help: 'Empty: no limit.' },
  'trigger.budget.bytes': {
    label: 'Most traffic (MB)',
    help: 'Sent and received by all devices. Empty: no limit.',
  },
  'trigger.budget.deviceSeconds': {
    label: 'Most device time (minutes)',
    help: 'Computing time of all devices together. Empty: no limit.',
  },
  'trigger.budget.epsilon': { label: 'Most privacy cost (ε)', help: 'Empty: no limit.' },
  'gate.alpha': {
    label: 'Risk of accepting a worse candidate (%)',
    help: 'For all candidates of a quarter together, so that many attempts do not succeed by luck.',
  },
  'gate.older': {
    label: 'Loss accepted on older examples (%)',
    help: 'The largest drop in accuracy on examples from before. It keeps a candidate from forgetting.',
  },
  'gate.worst': {
    label: 'Loss accepted for the worst tenth (%)',
    help: 'The largest drop in accuracy for the tenth of the devices with the worst results.',
  },
  'gate.fewest': {
    label: 'Fewest devices',
    help: 'With fewer devices, nothing is concluded and the candidate is not released.',
  },
  'canary.share': {
    label: 'Share of devices (%)',
    help: 'This share gets the candidate first; an equal share is the control group. Pages without an identity always get production.',
  },
  'canary.alpha': {
    label: 'Risk of a false conclusion (%)',
    help: 'The chance that two equal models are told apart, over all looks together.',
  },
  'canary.silence': {
    label: 'Risk of a rollback for too few reports (%)',
    help: 'A candidate with which fewer devices report is rolled back. The two groups also differ in number by chance: this is the risk that chance alone does it. Empty: a tenth of the risk above.',
  },
  'canary.participants': {
    label: 'Devices with outcomes',
    help: 'The canary is decided once both groups together have this many. Clear results end it sooner.',
  },
  'canary.margin': {
    label: 'Increase in error accepted (%)',
    help: 'At the end, the candidate is released only if a larger increase is ruled out.',
  },
  'canary.periods': {
    label: 'Longest duration (periods)',
    help: 'After this many periods it is decided with the devices there are.',
  },
};

const chinese: Readonly<Record<NumberName | 'trigger.schedule', FieldText>> = {
  period: {
    label: '周期长度',
    help: '每台设备每个周期报告一次。周期长，结果依据的数据多；周期短，能更早发现漂移。更改后需要参与者重新同意。',
  },
  'watch.threshold': {
    label: '漂移阈值',
    help: '小于此值的变化再确定也不会引发警报（群体稳定性指数：0.1 为小，0.25 为大）。',
  },
  'watch.every': {
    label: '平均多少个周期误报一次',
    help: '没有任何漂移时，所有分布合计，平均每这么多个周期出现一次误报。数据质量另有同样的保证。',
  },
  'watch.fewest': {
    label: '最少设备数',
    help: '依据的设备更少时，结果不显示也不检验。误报率从 5 台设备起有保证；设备少时只能发现较大的变化。',
  },
  'watch.minimum': {
    label: '每台设备最少预测次数',
    help: '一个周期内预测次数更少的设备不报告。更改后需要参与者重新同意。',
  },
  'privacy.rho': {
    label: '每次报告或比较的开销（ρ）',
    help: '越小则噪声越大，透露的单台设备信息越少（零集中差分隐私）。',
  },
  'privacy.epsilon': {
    label: '预算（ε）',
    help: '该任务的全部报告和比较对一位参与者的总开销上限。用完后不再请求任何内容。',
  },
  'privacy.delta': { label: '预算（δ）', help: '计算 ε 时所用的 δ。' },
  'trigger.drift.raise': {
    label: '连续出现警报的周期数',
    help: '数值大可避免为短暂的变化再训练，但反应较慢。',
  },
  'trigger.drift.clear': {
    label: '连续平静的周期数',
    help: '发布之后，连续这么多个周期没有警报，警报才重新计数。',
  },
  'trigger.schedule': {
    label: '定时（cron 表达式，UTC）',
    help: '分、时、日、月、星期。“0 3 * * 1” 表示每周一 3:00。留空：不定时。',
  },
  'trigger.newExamples': {
    label: '新样本数',
    help: '自上次再训练以来，设备上的新样本达到此数时再次训练。留空：不作为条件。',
  },
  'trigger.floor.error': {
    label: '平均误差高于（%）',
    help: '仅在有实际结果报告、且误差以 97.5% 的把握高于此值时计数。',
  },
  'trigger.floor.raise': { label: '连续高于此值的周期数', help: '数值越大，反应越慢。' },
  'trigger.coolDown': {
    label: '冷却期（周期数）',
    help: '两次再训练之间的最短间隔。连续未发布时每次加倍，最多十六倍。',
  },
  'trigger.stall': {
    label: '停滞多久后停止训练（周期数）',
    help: '在此期间未完成任何一轮的训练会被停止；至少一小时，且至少为每轮时限的两倍。留空：3。',
  },
  'trigger.budget.periods': { label: '预算期（周期数）', help: '以下上限适用于这么多个周期内的全部再训练。' },
  'trigger.budget.rounds': { label: '最多轮数', help: '留空：不限。' },
  'trigger.budget.bytes': { label: '最大流量（MB）', help: '所有设备收发的总量。留空：不限。' },
  'trigger.budget.deviceSeconds': {
    label: '最长设备用时（分钟）',
    help: '所有设备计算时间之和。留空：不限。',
  },
  'trigger.budget.epsilon': { label: '最大隐私开销（ε）', help: '留空：不限。' },
  'gate.alpha': {
    label: '误收较差候选模型的风险（%）',
    help: '按一个季度的全部候选模型合计，避免多次尝试靠运气通过。',
  },
  'gate.older': {
    label: '较早样本上可接受的下降（%）',
    help: '较早样本上准确率的最大降幅，防止候选模型遗忘。',
  },
  'gate.worst': {
    label: '最差十分之一可接受的下降（%）',
    help: '结果最差的十分之一设备上准确率的最大降幅。',
  },
  'gate.fewest': { label: '最少设备数', help: '设备更少时不作结论，候选模型不发布。' },
  'canary.share': {
    label: '设备比例（%）',
    help: '这一比例的设备先使用候选模型，另有同样多的设备作为对照组。没有身份的网页始终使用生产模型。',
  },
  'canary.alpha': {
    label: '错误结论的风险（%）',
    help: '两个同样好的模型被判为不同的概率，所有检验合计。',
  },
  'canary.silence': {
    label: '因报告过少而误回退的风险（%）',
    help: '使用候选模型时，如果报告的设备变少，就会回退。两组设备数也会偶然不同，此项为仅因偶然而回退的风险。留空：上述风险的十分之一。',
  },
  'canary.participants': {
    label: '有实际结果的设备数',
    help: '两组合计达到此数时作出判定；结果明显时会提前结束。',
  },
  'canary.margin': {
    label: '可接受的误差上升（%）',
    help: '结束时，只有排除更大的上升，候选模型才会发布。',
  },
  'canary.periods': { label: '最长期限（周期数）', help: '达到此周期数后，以现有设备作出判定。' },
};

/** Labels and help of the policy's fields, by their paths. */
export function policyFieldText(zh: boolean): Readonly<Record<NumberName | 'trigger.schedule', FieldText>> {
  return zh ? chinese : english;
}

export const unitWords = catalogue<Record<PeriodUnit, string>>(
  { second: 'seconds', minute: 'minutes', hour: 'hours', day: 'days' },
  { second: '秒', minute: '分钟', hour: '小时', day: '天' },
);

export const policyText = catalogue(
  {
    title: 'Policy',
    lead: 'How this task is monitored, and what happens when its model gets worse. Each saved version is kept; a retraining goes by the version it started with.',
    version: (version: string, time: string, by: string) => `Version ${version}, saved ${time} by ${by}.`,
    unnamed: 'an unnamed admin',
    noVersion: 'No version saved yet. The form shows proposed values.',
    loading: 'Loading the policy…',
    back: 'Back to monitoring',
    watch: 'Monitor this task',
    watchHelp:
      'Devices whose owners agree report on the production model. Reports are sums and shares, never examples.',
    offHelp: 'Nothing is asked from devices, and nothing is retrained.',
    unit: 'Unit',
    monitoring: 'Monitoring',
    privacy: 'Add noise to reports and comparisons',
    privacyTitle: 'Privacy',
    privacyHelp:
      'Noise hides the part of each device in the sums. With few devices it also hides drift and the difference between two models, so more devices are needed for the same certainty.',
    privacyOff: 'Sums are not noised. They still come from at least the fewest devices.',
    trigger: 'Retrain automatically',
    triggerTitle: 'Automatic retraining',
    triggerHelp: 'Retraining makes a candidate from the production model, within the limits below.',
    triggerOff: 'Retraining is started by hand only.',
    causes: 'Causes',
    drift: 'Drift',
    floor: 'High error',
    limits: 'Limits',
    plan: 'Plan of the runs',
    planHelp: (count: number) =>
      count === 0
        ? 'No changes from the task’s plan.'
        : count === 1
          ? '1 change from the task’s plan.'
          : `${formatNumber(count)} changes from the task’s plan.`,
    sinceAlarm: 'Train on data since the alarm only',
    sinceAlarmHelp:
      'Replaces the training window of the plan. Drift: runs train on the examples since the first alarm. High error: since errors rose. Other causes: since the change that the production model was last retrained for, or else since its release.',
    gate: 'Compare candidates with production',
    gateTitle: 'Comparison',
    gateHelp:
      'Devices test both models on examples that neither was trained on. A candidate goes on only if it is better on recent examples, and no worse on older ones, on any class, and for the worst tenth of the devices.',
    gateHelpRecent:
      'Devices test both models on examples that neither was trained on. A candidate goes on only if it is better on recent examples, and no worse on any class and for the worst tenth of the devices.',
    gateOff: 'Not recommended: a candidate is not compared, so a worse one can be released.',
    older: 'Compare on older examples too',
    olderHelp:
      'Switch it off where the meaning of the data changes, so that older labels are no longer right. Devices then test on recent examples only, and the other checks rest on these alone.',
    canary: 'Try candidates on a share of the devices',
    canaryTitle: 'Canary',
    canaryHelp:
      'The errors of a share of the devices are compared with those of an equal control group. A worse candidate is withdrawn automatically.',
    canaryOff: 'Not recommended: candidates are released to all devices at once.',
    save: 'Save policy',
    saving: 'Saving…',
    saved: (version: string) => `Saved as version ${version}.`,
    fix: (count: number) =>
      count === 1 ? '1 field needs another value.' : `${formatNumber(count)} fields need another value.`,
    conflict: (version: string, time: string, by: string) =>
      `Version ${version} was saved in the meantime (${time}, by ${by}). Your changes are still in the form and were not saved.`,
    load: 'Load the saved version',
    replace: 'Save mine as the next version',
    stopTitle: 'Stop monitoring?',
    stopText: 'Devices are no longer asked, and nothing is retrained. Past periods and versions are kept.',
    stop: 'Stop monitoring',
    noCause: 'Choose at least one cause: drift, a high error, a schedule or new examples.',
    noSchedule: 'Needs five fields: minute, hour, day, month, weekday.',
    neverDue: 'There is no such day. Choose another day or month.',
    tooOften: 'Due more than once an hour. State one minute.',
    belowCost: (cost: string) => `One retraining takes ${cost} rounds by the plan below. Raise the limit.`,
    newerVersion: 'The saved policy is of a newer kind than this page knows. Reload the page.',
  },
  {
    title: '策略',
    lead: '规定该任务如何监控，以及模型变差时如何处理。每个保存的版本都会保留；再训练始终按启动时的版本进行。',
    version: (version, time, by) => `版本 ${version}，${by} 保存于 ${time}。`,
    unnamed: '未知管理员',
    noVersion: '尚未保存任何版本。表单中为建议值。',
    loading: '正在载入策略…',
    back: '返回监控',
    watch: '监控此任务',
    watchHelp: '经所有者同意的设备报告生产模型的情况。报告只含总和与比例，不含样本。',
    offHelp: '不向设备请求任何内容，也不会再训练。',
    unit: '单位',
    monitoring: '监控',
    privacy: '为报告和比较加噪',
    privacyTitle: '隐私',
    privacyHelp:
      '噪声掩盖各台设备在总和中的部分。设备少时也会掩盖漂移和两个模型的差异，因此需要更多设备才能同样确定。',
    privacyOff: '总和不加噪，但仍至少来自最少设备数。',
    trigger: '自动再训练',
    triggerTitle: '自动再训练',
    triggerHelp: '在以下限制内，从生产模型训练候选模型。',
    triggerOff: '再训练仅能手动启动。',
    causes: '触发条件',
    drift: '漂移',
    floor: '误差过高',
    limits: '限制',
    plan: '训练计划',
    planHelp: (count) =>
      count === 0 ? '与任务的计划相同。' : `与任务的计划有 ${formatNumber(count)} 处不同。`,
    sinceAlarm: '仅用警报以来的数据训练',
    sinceAlarmHelp:
      '取代计划中的训练时间窗口。漂移：使用首次警报以来的数据；误差过高：使用误差上升以来的数据；其他原因：使用生产模型上一次再训练所针对的变化以来的数据，若无则使用发布以来的数据。',
    gate: '将候选模型与生产模型比较',
    gateTitle: '比较',
    gateHelp:
      '设备用两个模型都未训练过的样本测试二者。候选模型须在近期样本上更好，且在较早样本、各个类别以及最差的十分之一设备上都不变差，才能继续。',
    gateHelpRecent:
      '设备用两个模型都未训练过的样本测试二者。候选模型须在近期样本上更好，且在各个类别以及最差的十分之一设备上都不变差，才能继续。',
    gateOff: '不建议：候选模型不经比较，较差的模型也可能发布。',
    older: '同时在较早样本上比较',
    olderHelp:
      '若数据的含义会改变、较早样本的标签已不再正确，请关闭此项。此时设备只用近期样本测试，其余各项检查也只依据近期样本。',
    canary: '先在部分设备上试用候选模型',
    canaryTitle: '灰度',
    canaryHelp: '将部分设备的误差与同样多的对照组设备比较。较差的候选模型会自动撤回。',
    canaryOff: '不建议：候选模型会直接发布到所有设备。',
    save: '保存策略',
    saving: '正在保存…',
    saved: (version) => `已保存为版本 ${version}。`,
    fix: (count) => `有 ${formatNumber(count)} 个字段需要修改。`,
    conflict: (version, time, by) =>
      `在此期间已有版本 ${version} 保存（${time}，${by}）。你的更改仍在表单中，尚未保存。`,
    load: '载入已保存的版本',
    replace: '将我的更改保存为下一版本',
    stopTitle: '停止监控？',
    stopText: '不再向设备请求任何内容，也不会再训练。以往的周期和版本都会保留。',
    stop: '停止监控',
    noCause: '请至少选择一个条件：漂移、误差过高、定时或新样本。',
    noSchedule: '需要五项：分、时、日、月、星期。',
    neverDue: '没有这样的日期，请改选日或月。',
    tooOften: '每小时超过一次。请只写一个分钟数。',
    belowCost: (cost) => `按以下计划，一次再训练需要 ${cost} 轮。请提高上限。`,
    newerVersion: '保存的策略版本比本页新，请刷新页面。',
  },
);
