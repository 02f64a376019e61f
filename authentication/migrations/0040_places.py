# Unusual uses of accounts: the countries that are known of each, and how far the log is examined.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authentication', '0039_staff_notes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditlog',
            name='event_type',
            field=models.CharField(choices=[('registration', 'Registration'), ('registration_duplicate', 'Registration Duplicate'), ('email_verified', 'Email Verified'), ('email_verification_failed', 'Email Verification Failed'), ('email_resend', 'Email Resend'), ('email_corrected', 'Email Corrected'), ('address_released', 'Address Released'), ('login', 'Login'), ('login_failed', 'Login Failed'), ('reauthenticated', 'Reauthenticated'), ('second_factor_asked', 'Second Factor Asked'), ('second_factor_used', 'Second Factor Used'), ('second_factor_failed', 'Second Factor Failed'), ('second_factor_blocked', 'Second Factor Blocked'), ('second_factor_offered', 'Second Factor Offered'), ('second_factor_enabled', 'Second Factor Enabled'), ('second_factor_disabled', 'Second Factor Disabled'), ('second_factor_removal_requested', 'Second Factor Removal Requested'), ('second_factor_removal_stopped', 'Second Factor Removal Stopped'), ('second_factor_removal_cancelled', 'Second Factor Removal Cancelled'), ('second_factor_removal_failed', 'Second Factor Removal Failed'), ('recovery_codes_renewed', 'Recovery Codes Renewed'), ('account_locked', 'Account Locked'), ('account_unlocked', 'Account Unlocked'), ('logout', 'Logout'), ('token_refresh', 'Token Refresh'), ('token_reuse_detected', 'Token Reuse Detected'), ('token_exchange', 'Token Exchange'), ('token_exchange_failed', 'Token Exchange Failed'), ('session_terminated', 'Session Terminated'), ('sessions_terminated', 'Sessions Terminated'), ('session_evicted', 'Session Evicted'), ('session_renewed', 'Session Renewed'), ('session_renamed', 'Session Renamed'), ('session_disowned', 'Session Disowned'), ('session_disown_failed', 'Session Disown Failed'), ('profile_updated', 'Profile Updated'), ('email_change_requested', 'Email Change Requested'), ('email_change_cancelled', 'Email Change Cancelled'), ('email_change_failed', 'Email Change Failed'), ('email_changed', 'Email Changed'), ('email_change_undone', 'Email Change Undone'), ('email_bounced', 'Email Bounced'), ('email_complained', 'Email Complained'), ('notices_changed', 'Notices Changed'), ('change_undone', 'Change Undone'), ('change_undo_failed', 'Change Undo Failed'), ('export_requested', 'Export Requested'), ('export_downloaded', 'Export Downloaded'), ('export_download_failed', 'Export Download Failed'), ('account_deletion_requested', 'Account Deletion Requested'), ('account_restored', 'Account Restored'), ('account_erased', 'Account Erased'), ('consent_given', 'Consent Given'), ('password_change', 'Password Change'), ('password_reset_requested', 'Password Reset Requested'), ('password_reset', 'Password Reset'), ('password_reset_failed', 'Password Reset Failed'), ('password_breached', 'Password Breached'), ('token_revoked', 'Token Revoked'), ('exchange_replayed', 'Exchange Replayed'), ('admin_login', 'Admin Login'), ('admin_login_refused', 'Admin Login Refused'), ('new_country', 'New Country'), ('impossible_travel', 'Impossible Travel'), ('many_accounts_tried', 'Many Accounts Tried'), ('many_addresses', 'Many Addresses'), ('admin_action', 'Admin Action'), ('audit_log_exported', 'Audit Log Exported')], max_length=48),
        ),
        migrations.AlterField(
            model_name='outgoingemail',
            name='kind',
            field=models.CharField(choices=[('verification', 'Verification'), ('account_exists', 'Account Exists'), ('account_locked', 'Account Locked'), ('choose_password', 'Choose Password'), ('password_reset', 'Password Reset'), ('password_changed', 'Password Changed'), ('breached_password', 'Breached Password'), ('new_device', 'New Device'), ('new_country', 'New Country'), ('account_deleted', 'Account Deleted'), ('export_ready', 'Export Ready'), ('export_failed', 'Export Failed'), ('email_change', 'Email Change'), ('email_change_notice', 'Email Change Notice'), ('second_factor_changed', 'Second Factor Changed'), ('second_factor_blocked', 'Second Factor Blocked'), ('recovery_code_used', 'Recovery Code Used'), ('second_factor_removal', 'Second Factor Removal'), ('token_reuse', 'Token Reuse'), ('username_changed', 'Username Changed'), ('notices_stopped', 'Notices Stopped'), ('session_disowned', 'Session Disowned'), ('former_address', 'Former Address'), ('audit_seal', 'Audit Seal')], max_length=32),
        ),
        migrations.CreateModel(
            name='ExaminedUntil',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('moment', models.DateTimeField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='examined_until_one_row')],
            },
        ),
        migrations.CreateModel(
            name='KnownCountry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country', models.CharField(max_length=2)),
                ('ip_address', models.GenericIPAddressField()),
                ('created_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField()),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['last_used_at'], name='known_country_last_used')],
                'constraints': [models.UniqueConstraint(fields=('user', 'country'), name='known_country_unique')],
            },
        ),
    ]
