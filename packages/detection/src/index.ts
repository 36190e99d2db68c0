export { loadRules, type LoadOptions, type RuleSet } from './load-rules.ts';
export { createMatcher, type Matcher } from './matcher.ts';
export { type DetectionEvent, type Signal } from './signal.ts';
export { parseRuleFile, applyFilters, type ParseOptions, type RuleFile, type RuleFilter } from './sigma/parse.ts';
export { type Rule, type Level, type Logsource, type Expression, type RuleGuidance } from './sigma/ast.ts';
export { type Placeholders } from './sigma/field-item.ts';
export { type FieldPath, type FieldSource } from './field-path.ts';
export { compileToSql, type ColumnRef, type CompiledSql, type SqlMapping } from './sigma/sql.ts';
export { type Correlation } from './correlation/correlation.ts';
export {
  createCorrelator,
  type CorrelationAlert,
  type CorrelationOutput,
  type Correlator,
  type CorrelatorOptions,
  type SkippedWindow,
} from './correlation/correlator.ts';
export {
  CorrelationInvalid,
  DetectionError,
  EventTooLarge,
  ParserInvalid,
  ProductUnknown,
  RuleInvalid,
  detectionErrors,
  type DetectionErrorCode,
} from './errors.ts';
export { loadParsers, createParserSet, type ParserSet } from './parser/load-parsers.ts';
export { parserDocument, type ParserDocument } from './parser/parser-schema.ts';
export { parseEventTime } from './parser/event-time.ts';
export { detectReplay, type ReplayLine, type ReplayOptions } from './replay.ts';
export { splitJson, EVENT_BYTES_MAX } from './split-json.ts';
export { CLASS_NAMES, lakeEvent, lakeToDetection, lakeMapping } from './lake-mapping.ts';
export { type BacktestDay, type BacktestVerdict, judgeBacktest, ruleCondition } from './backtest.ts';
export {
  ALERT_STATUSES,
  type Alert,
  type AlertComment,
  type AlertStatus,
  CLOSE_REASONS,
  type Entity,
  entityKey,
  entityOf,
  entityOfGroup,
  LEVELS,
  raisesAlert,
  signalId,
} from './alert/alert.ts';
export {
  alertClose,
  type AlertCommands,
  alertCommentInput,
  alertPatch,
  createAlertCommands,
} from './alert/alert-commands.ts';
export {
  knownSignals,
  raiseAlerts,
  type RaisedSignal,
  type RaiseResult,
  updateSignalEvents,
  withdrawSignal,
} from './alert/alert-raise.ts';
export {
  ALERT_PAGE_MAX,
  type AlertQuery,
  type AlertSignal,
  countAlerts,
  listAlerts,
  listComments,
  listSignals,
  loadAlert,
} from './alert/alert-store.ts';
export {
  createTargetCommands,
  type DueDelivery,
  dueDeliveries,
  listTargets,
  type NotificationTarget,
  settleDelivery,
  type TargetInput,
  sealTargets,
  targetInput,
} from './notification.ts';
export { type Delivery, DELIVERY_PAGE_MAX, listDeliveries, retryDeliveries } from './notification/delivery-store.ts';
export { formatBody, formatMail, TARGET_KINDS, type TargetKind } from './notification/format.ts';
export { type QuietHours, quietHours } from './notification/quiet-hours.ts';
export { notificationTemplate, TEMPLATE_FIELDS } from './notification/template.ts';
export { type ForwardEvent, type ForwardInput, forwardInput, FORWARD_KINDS, forwardPatch } from './forward/forward.ts';
export { createForwardCommands, type ForwardCommands } from './forward/forward-commands.ts';
export {
  advanceForward,
  type DueForward,
  dueForwards,
  failForward,
  type ForwardTarget,
  listForwards,
} from './forward/forward-store.ts';
export { syslogFrames } from './forward/cef.ts';
export {
  batchId,
  elasticBody,
  elasticOutcome,
  failed,
  type Outcome,
  s3Object,
  splunkBody,
  TAKEN,
  webhookHeaders,
} from './forward/payload.ts';
export { clearWatch } from './watch-retention.ts';
export { liftAlerts, resolveAlerts } from './alert/alert-settle.ts';
export {
  createRuleCommands,
  DETECTION_CHANNEL,
  exceptionInput,
  listExceptions,
  listSettings,
  type RuleCommands,
  type RuleException,
  type RuleSetting,
  ruleSettingInput,
} from './rule-setting.ts';
export {
  type CollectingSource,
  dropPosition,
  type FilePosition,
  listCollecting,
  readPositions,
  reportCollect,
  savePosition,
} from './source/collect-store.ts';
export { type Collect, collectInput, peerCheck, SOURCES_CHANNEL } from './source/collect.ts';
export { atTime, type FailedRecord, normaliseRecords, type Normalised } from './source/normalise-records.ts';
export { readOtlpLogs } from './source/otlp-logs.ts';
export { HecEventMissing, readEvents, readHecEvents } from './source/read-envelope.ts';
export {
  DeliveryMalformed,
  RECORD_BYTES_MAX,
  RECORDS_MAX,
  type SourceRecord,
  splitRecords,
} from './source/read-records.ts';
export { parseSyslog, SyslogFrames, type SyslogMessage, syslogRecord } from './source/syslog.ts';
export { credentialHash, type Source, sourceInput, sourcePatch } from './source/source.ts';
export {
  createSourceCommands,
  REPLAY_CHANNEL,
  type SourceCommands,
  type SourceWithCredential,
} from './source/source-commands.ts';
export {
  DEAD_LETTER_PAGE_MAX,
  type DeadLetter,
  findSourceByCredential,
  firstTimes,
  listDeadLetters,
  listSources,
  loadSource,
  loadSourceCredential,
  recordDelivery,
  settleReplay,
  type SourceCredential,
  takeReplays,
} from './source/source-store.ts';
export { stableId } from './stable-id.ts';
export { watchErrors } from './watch-errors.ts';
export { detectionMigrations } from './watch-tables.ts';
export {
  type BehaviourState,
  type BehaviourType,
  behaviourKey,
  type DayScore,
  ENTITY_TYPES,
  FEATURES,
  type Feedback,
  HISTORY_DAYS,
  LEARNING_DAYS,
  LEARNING_MS,
  type Term,
} from './behaviour/behaviour.ts';
export { type BehaviourPort, judgeDay, type Judged, loadSociety, type Society } from './behaviour/judge.ts';
export { entityQuery } from './behaviour/behaviour-query.ts';
export { runningScore, signalTerm } from './behaviour/score.ts';
export { BEHAVIOUR_RULE, behaviourLevel } from './behaviour/thresholds.ts';
export {
  BEHAVIOUR_CHANNEL,
  type BehaviourCommands,
  createBehaviourCommands,
  criticalityInput,
  feedbackInput,
} from './behaviour/behaviour-commands.ts';
export {
  fadeScores,
  listFeedback,
  listScored,
  loadScored,
  readBehaviourPosition,
  saveBehaviourPosition,
  saveJudgement,
  signalsOfDay,
} from './behaviour/behaviour-store.ts';
export {
  type Anomaly,
  type EdgeHourFacts,
  FEATURES as MONITOR_FEATURES,
  findAnomalies,
  monitorRuleId,
} from './monitor/anomaly.ts';
export { type Baseline, type HourValue, seasonalBaseline, SEASON_DAYS } from './monitor/seasonal.ts';
export { type Count, evaluateSlo, type Slo, sloInput, sloRuleId, sloState, WINDOWS_MS } from './monitor/slo.ts';
export { createSloCommands, listSlos, saveSloState, type SloCommands } from './monitor/slo-store.ts';
export { evaluateBehaviour, type Evaluation } from './behaviour/evaluate.ts';
export { type SampleEvent, sampleOrganisation, type SampleOptions } from './behaviour/sample-organisation.ts';
export {
  type EventHold,
  eventHoldInput,
  type EventRule,
  eventRuleInput,
  sizeLimitInput,
} from './retention/event-retention.ts';
export { createEventRetentionCommands, type EventRetentionCommands } from './retention/event-retention-commands.ts';
export { rewrapSealed, sealContext } from './sealed.ts';
export { listEventHolds, listEventRules, readSizeLimit, settleEventRule } from './retention/event-retention-store.ts';
export { hecChannel, readHecAcks, takeHecAck } from './source/hec-channel.ts';
