import { CordonError, type ErrorTable } from '@cordon/kernel';

/** Base of every error of this package. */
export abstract class IdentityError extends CordonError {}

/** One message for every wrong credential, so that nobody learns which part was wrong. */
export class SignInRefused extends IdentityError {
  readonly code = 'identity.sign_in_refused';
}
export class SignInThrottled extends IdentityError {
  readonly code = 'identity.sign_in_throttled';
}
export class SessionRequired extends IdentityError {
  readonly code = 'identity.session_required';
}
export class SessionNotFound extends IdentityError {
  readonly code = 'identity.session_not_found';
}
export class OriginRefused extends IdentityError {
  readonly code = 'identity.origin_refused';
}
export class LinkInvalid extends IdentityError {
  readonly code = 'identity.link_invalid';
}
export class ChallengeInvalid extends IdentityError {
  readonly code = 'identity.challenge_invalid';
}
export class PasskeyInvalid extends IdentityError {
  readonly code = 'identity.passkey_invalid';
}
export class FactorCodeWrong extends IdentityError {
  readonly code = 'identity.factor_code_wrong';
}
export class FactorNotFound extends IdentityError {
  readonly code = 'identity.factor_not_found';
}
export class FactorNeeded extends IdentityError {
  readonly code = 'identity.factor_needed';
}
export class PasswordWeak extends IdentityError {
  readonly code = 'identity.password_weak';
}
export class PersonNotFound extends IdentityError {
  readonly code = 'identity.person_not_found';
}
export class PersonExists extends IdentityError {
  readonly code = 'identity.person_exists';
}
export class OwnerExists extends IdentityError {
  readonly code = 'identity.owner_exists';
}
export class OwnerNeeded extends IdentityError {
  readonly code = 'identity.owner_needed';
}
export class RoleBeyondOwn extends IdentityError {
  readonly code = 'identity.role_beyond_own';
}
export class GroupNotFound extends IdentityError {
  readonly code = 'identity.group_not_found';
}
/** The directory keeps this group: its members and name are changed there. */
export class GroupKeptElsewhere extends IdentityError {
  readonly code = 'identity.group_kept_elsewhere';
}
export class ElevationNotFound extends IdentityError {
  readonly code = 'identity.elevation_not_found';
}
/** It was asked for already, was decided already, or is over. */
export class ElevationState extends IdentityError {
  readonly code = 'identity.elevation_state';
}
/** Nobody approves their own, and only whoever answers for what is asked for. */
export class ElevationNotYours extends IdentityError {
  readonly code = 'identity.elevation_not_yours';
}
export class BreakGlassNotFound extends IdentityError {
  readonly code = 'identity.break_glass_not_found';
}
/** Fewer than two break-glass accounts would be left; `acknowledge` does it all the same. */
export class BreakGlassNeeded extends IdentityError {
  readonly code = 'identity.break_glass_needed';
}
export class ApiTokenNotFound extends IdentityError {
  readonly code = 'identity.api_token_not_found';
}
export class ClientNotFound extends IdentityError {
  readonly code = 'identity.client_not_found';
}
export class ClientInvalid extends IdentityError {
  readonly code = 'identity.client_invalid';
}
/** The keys of a workload issuer could not be fetched; never shown, it fails the grant. */
export class IssuerUnreachable extends IdentityError {
  readonly code = 'identity.issuer_unreachable';
}
export class TokenNotFound extends IdentityError {
  readonly code = 'identity.token_not_found';
}
/** The one-time code of an enrolment is unknown, used or over. */
export class EnrolmentInvalid extends IdentityError {
  readonly code = 'identity.enrolment_invalid';
}
/** The connection showed no certificate that could be renewed. */
export class CertificateInvalid extends IdentityError {
  readonly code = 'identity.certificate_invalid';
}
export class CertificateNotFound extends IdentityError {
  readonly code = 'identity.certificate_not_found';
}
export class ApprovalNotFound extends IdentityError {
  readonly code = 'identity.approval_not_found';
}
/** Decided already, or too late. */
export class ApprovalOver extends IdentityError {
  readonly code = 'identity.approval_over';
}
/** The second person must be another one. */
export class ApprovalOwn extends IdentityError {
  readonly code = 'identity.approval_own';
}
/** This process runs no authorization server. */
export class ApprovalUnavailable extends IdentityError {
  readonly code = 'identity.approval_unavailable';
}
export class LockNotFound extends IdentityError {
  readonly code = 'identity.lock_not_found';
}
export class SsoAppNotFound extends IdentityError {
  readonly code = 'identity.sso_app_not_found';
}
export class SsoAppExists extends IdentityError {
  readonly code = 'identity.sso_app_exists';
}
/** The person may not use this app. */
export class SsoAppDenied extends IdentityError {
  readonly code = 'identity.sso_app_denied';
}
/** A message of an app or a provider breaks a rule of its protocol. */
export class SsoMessageInvalid extends IdentityError {
  readonly code = 'identity.sso_message_invalid';
}
/** A sign-in through a corporate provider is refused; `detail.reason` is one of `UPSTREAM_REFUSALS`. */
export class UpstreamRefused extends IdentityError {
  readonly code = 'identity.upstream_refused';
}
export class UpstreamProviderNotFound extends IdentityError {
  readonly code = 'identity.upstream_provider_not_found';
}
export class UpstreamProviderExists extends IdentityError {
  readonly code = 'identity.upstream_provider_exists';
}
/** The provider can't be switched on before a test sign-in has gone well. */
export class UpstreamNotTested extends IdentityError {
  readonly code = 'identity.upstream_not_tested';
}
export class UpstreamDomainTaken extends IdentityError {
  readonly code = 'identity.upstream_domain_taken';
}
export class UpstreamDomainUnverified extends IdentityError {
  readonly code = 'identity.upstream_domain_unverified';
}
/** A policy on sign-in refuses; the message says what the person can do. */
export class SignInPolicyRefused extends IdentityError {
  readonly code = 'identity.sign_in_policy_refused';
}
/** A policy on sign-in wants a stronger factor; `detail.needs` says which. */
export class SignInStrongerNeeded extends IdentityError {
  readonly code = 'identity.sign_in_stronger_needed';
}
export class SignInPolicyChanged extends IdentityError {
  readonly code = 'identity.sign_in_policy_changed';
}
/** Policies that would shut out every owner, or whoever writes them. */
export class SignInPolicyLocksOut extends IdentityError {
  readonly code = 'identity.sign_in_policy_locks_out';
}
export class SignalReceiverNotFound extends IdentityError {
  readonly code = 'identity.signal_receiver_not_found';
}
export class SignalSourceNotFound extends IdentityError {
  readonly code = 'identity.signal_source_not_found';
}
export class SignalNameTaken extends IdentityError {
  readonly code = 'identity.signal_name_taken';
}
/** A request of a receiver, or a security event token, breaks a rule of its protocol; `detail.err` is RFC 8935's. */
export class SignalInvalid extends IdentityError {
  readonly code = 'identity.signal_invalid';
}
/** The transmitter of somebody else can't be reached or refuses. */
export class SignalTransmitterFailed extends IdentityError {
  readonly code = 'identity.signal_transmitter_failed';
}
export class InputInvalid extends IdentityError {
  readonly code = 'identity.input_invalid';
}

/** How each code is answered. A test holds this table and the classes above together. */
export const identityErrors = {
  'identity.sign_in_refused': { status: 401, expose: true, level: 'info' },
  'identity.sign_in_throttled': { status: 429, expose: true, level: 'warn' },
  'identity.session_required': { status: 401, expose: true, level: 'debug' },
  'identity.session_not_found': { status: 404, expose: true, level: 'info' },
  'identity.origin_refused': { status: 403, expose: true, level: 'warn' },
  'identity.link_invalid': { status: 400, expose: true, level: 'info' },
  'identity.challenge_invalid': { status: 400, expose: true, level: 'info' },
  'identity.passkey_invalid': { status: 400, expose: true, level: 'info' },
  'identity.factor_code_wrong': { status: 422, expose: true, level: 'info' },
  'identity.factor_not_found': { status: 404, expose: true, level: 'info' },
  'identity.factor_needed': { status: 409, expose: true, level: 'info' },
  'identity.password_weak': { status: 422, expose: true, level: 'info' },
  'identity.person_not_found': { status: 404, expose: true, level: 'info' },
  'identity.person_exists': { status: 409, expose: true, level: 'info' },
  'identity.owner_exists': { status: 409, expose: true, level: 'info' },
  'identity.owner_needed': { status: 409, expose: true, level: 'info' },
  'identity.role_beyond_own': { status: 403, expose: true, level: 'info' },
  'identity.group_not_found': { status: 404, expose: true, level: 'info' },
  'identity.group_kept_elsewhere': { status: 409, expose: true, level: 'info' },
  'identity.elevation_not_found': { status: 404, expose: true, level: 'info' },
  'identity.elevation_state': { status: 409, expose: true, level: 'info' },
  'identity.elevation_not_yours': { status: 403, expose: true, level: 'warn' },
  'identity.break_glass_not_found': { status: 404, expose: true, level: 'info' },
  'identity.break_glass_needed': { status: 409, expose: true, level: 'warn' },
  'identity.api_token_not_found': { status: 404, expose: true, level: 'info' },
  'identity.client_not_found': { status: 404, expose: true, level: 'info' },
  'identity.client_invalid': { status: 422, expose: true, level: 'info' },
  'identity.issuer_unreachable': { status: 503, expose: false, level: 'warn' },
  'identity.token_not_found': { status: 404, expose: true, level: 'info' },
  'identity.enrolment_invalid': { status: 401, expose: true, level: 'warn' },
  'identity.certificate_invalid': { status: 401, expose: true, level: 'info' },
  'identity.certificate_not_found': { status: 404, expose: true, level: 'info' },
  'identity.approval_not_found': { status: 404, expose: true, level: 'info' },
  'identity.approval_over': { status: 409, expose: true, level: 'info' },
  'identity.approval_own': { status: 403, expose: true, level: 'warn' },
  'identity.approval_unavailable': { status: 503, expose: true, level: 'warn' },
  'identity.lock_not_found': { status: 404, expose: true, level: 'info' },
  'identity.sso_app_not_found': { status: 404, expose: true, level: 'info' },
  'identity.sso_app_exists': { status: 409, expose: true, level: 'info' },
  'identity.sso_app_denied': { status: 403, expose: true, level: 'warn' },
  'identity.sso_message_invalid': { status: 400, expose: true, level: 'warn' },
  'identity.upstream_refused': { status: 403, expose: true, level: 'warn' },
  'identity.upstream_provider_not_found': { status: 404, expose: true, level: 'info' },
  'identity.upstream_provider_exists': { status: 409, expose: true, level: 'info' },
  'identity.upstream_not_tested': { status: 409, expose: true, level: 'info' },
  'identity.upstream_domain_taken': { status: 409, expose: true, level: 'info' },
  'identity.upstream_domain_unverified': { status: 422, expose: true, level: 'info' },
  'identity.sign_in_policy_refused': { status: 403, expose: true, level: 'info' },
  'identity.sign_in_stronger_needed': { status: 403, expose: true, level: 'info' },
  'identity.sign_in_policy_changed': { status: 409, expose: true, level: 'info' },
  'identity.sign_in_policy_locks_out': { status: 422, expose: true, level: 'info' },
  'identity.signal_receiver_not_found': { status: 404, expose: true, level: 'info' },
  'identity.signal_source_not_found': { status: 404, expose: true, level: 'info' },
  'identity.signal_name_taken': { status: 409, expose: true, level: 'info' },
  'identity.signal_invalid': { status: 400, expose: true, level: 'warn' },
  'identity.signal_transmitter_failed': { status: 422, expose: true, level: 'warn' },
  'identity.input_invalid': { status: 422, expose: true, level: 'info' },
} as const satisfies ErrorTable;

export type IdentityErrorCode = keyof typeof identityErrors;
