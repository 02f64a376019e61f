/** The operations of the API that leave the tokens as they are, each by a method. */

import type { Parts } from "./transport.js";
import type { Answer, Body, OperationId, Profile, Session } from "./types.js";

/** A password, or a code if the account has a second factor. */
export type Proof = { password: string } | { otp: string };

export abstract class Operations {
  /** Send any operation, with the access token where it needs one. */
  abstract call<Id extends OperationId>(id: Id, parts?: Parts<Id>): Promise<Answer<Id>>;

  register(body: Body<"register">) {
    return this.call("register", { body });
  }

  verifyEmail(token: string) {
    return this.call("email_verify", { body: { token } });
  }

  resendVerification(email: string) {
    return this.call("email_resend", { body: { email } });
  }

  /** Correct the address of an account that is not verified yet, by its password. */
  correctEmail(body: Body<"email_correct">) {
    return this.call("email_correct", { body });
  }

  requestPasswordReset(email: string) {
    return this.call("password_reset", { body: { email } });
  }

  confirmPasswordReset(token: string, newPassword: string) {
    return this.call("password_reset_confirm", { body: { token, new_password: newPassword } });
  }

  /** Make the account of an invitation by the mailed token. */
  acceptInvitation(body: Body<"invitation_accept">) {
    return this.call("invitation_accept", { body });
  }

  /** Throw a ProblemError if an access token is not live. */
  async verifyToken(token: string): Promise<void> {
    await this.call("token_verify", { body: { token } });
  }

  /** Prove who is there, for what answers `reauthentication_required` otherwise. */
  reauthenticate(proof: Proof) {
    return this.call("reauthenticate", { body: proof });
  }

  async getSessions(): Promise<Session[]> {
    return (await this.call("sessions")).sessions;
  }

  getSession(sessionId: string) {
    return this.call("session", { path: { session_id: sessionId } });
  }

  renameSession(sessionId: string, deviceName: string) {
    return this.call("session_rename", {
      path: { session_id: sessionId },
      body: { device_name: deviceName },
    });
  }

  terminateSession(sessionId: string) {
    return this.call("session_terminate", { path: { session_id: sessionId } });
  }

  terminateAllSessions() {
    return this.call("sessions_terminate_all");
  }

  getProfile(): Promise<Profile> {
    return this.call("profile");
  }

  updateProfile(body: Body<"profile_update">): Promise<Profile> {
    return this.call("profile_update", { body });
  }

  getSecondFactor() {
    return this.call("second_factor");
  }

  setUpTotp(password: string) {
    return this.call("totp_setup", { body: { password } });
  }

  confirmTotp(otp: string) {
    return this.call("totp_confirm", { body: { otp } });
  }

  disableSecondFactor() {
    return this.call("second_factor_disable");
  }

  renewRecoveryCodes() {
    return this.call("recovery_codes");
  }

  stopSecondFactorRemoval(token: string) {
    return this.call("second_factor_removal_stop", { body: { token } });
  }

  getActivity(page: { cursor?: string; limit?: number } = {}) {
    return this.call("activity", { query: page });
  }

  /** Report that it was somebody else: the session of the event ends, its changes are undone. */
  disownActivity(eventId: string) {
    return this.call("activity_disown", { path: { event_id: eventId } });
  }

  disownSession(token: string) {
    return this.call("session_disown", { body: { token } });
  }

  getConsents() {
    return this.call("consents");
  }

  giveConsents(body: Body<"consents_give">) {
    return this.call("consents_give", { body });
  }

  getEmail() {
    return this.call("account_email");
  }

  changeEmail(email: string) {
    return this.call("account_email_change", { body: { email } });
  }

  cancelEmailChange() {
    return this.call("account_email_cancel");
  }

  confirmEmailChange(token: string) {
    return this.call("account_email_confirm", { body: { token } });
  }

  undoEmailChange(token: string) {
    return this.call("account_email_undo", { body: { token } });
  }

  undoChange(token: string) {
    return this.call("account_change_undo", { body: { token } });
  }

  deleteAccount() {
    return this.call("account_delete");
  }

  getExport() {
    return this.call("export");
  }

  requestExport() {
    return this.call("export_request");
  }

  downloadExport(token: string) {
    return this.call("export_download", { body: { token } });
  }

  getNotices() {
    return this.call("notices");
  }

  updateNotices(body: Body<"notices_update">) {
    return this.call("notices_update", { body });
  }

  getCsrfToken() {
    return this.call("csrf");
  }

  getHealth() {
    return this.call("health");
  }

  getLiveness() {
    return this.call("live");
  }
}
