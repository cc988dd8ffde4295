import core.clocks
import django.db.models.deletion
from django.db import migrations, models

import surveys.models.invitations
import surveys.models.responses


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('referrals', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Survey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('nps', 'Net Promoter Score (0–10)'), ('csat', 'satisfaction (1–5)'), ('ces', 'effort (1–7)')], default='nps', max_length=4)),
                ('active', models.BooleanField(default=True, help_text='an inactive survey asks nobody; open invitations stay open')),
                ('days_after_answer', models.PositiveSmallIntegerField(default=90, help_text='nobody is asked again before')),
                ('days_after_silence', models.PositiveSmallIntegerField(default=30, help_text='the same after no answer')),
                ('hours_between', models.PositiveSmallIntegerField(default=24, help_text='never two invitations within')),
                ('open_days', models.PositiveSmallIntegerField(default=30, help_text='how long an invitation can be answered')),
                ('edit_hours', models.PositiveSmallIntegerField(default=24, help_text='how long an answer can be changed')),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
            ],
            options={
                'ordering': ('name',),
            },
        ),
        migrations.CreateModel(
            name='Respondent',
            fields=[
            ],
            options={
                'verbose_name': 'customer to ask',
                'verbose_name_plural': 'customers to ask',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('referrals.customer',),
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=surveys.models.invitations.new_invitation_id, max_length=40, unique=True)),
                ('token_id', models.CharField(default=surveys.models.invitations.new_token_id, help_text='named by the signed link', max_length=40, unique=True)),
                ('state', models.CharField(choices=[('planned', 'planned'), ('sent', 'sent'), ('answered', 'answered'), ('expired', 'expired'), ('not_asked', 'not asked')], max_length=9)),
                ('reason', models.CharField(blank=True, help_text='why this person was not asked', max_length=30)),
                ('next_at', models.DateTimeField(help_text='when the person who was not asked may be asked again', null=True)),
                ('cause', models.CharField(help_text='what made us ask: api, staff, renewal:ID …', max_length=100)),
                ('forced', models.BooleanField(default=False, help_text='asked although the throttle spoke against it')),
                ('decided_at', models.DateTimeField()),
                ('send_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='referrals.customer')),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='surveys.survey')),
            ],
        ),
        migrations.CreateModel(
            name='SurveyVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('question', models.CharField(max_length=200)),
                ('low_label', models.CharField(max_length=60)),
                ('high_label', models.CharField(max_length=60)),
                ('why', models.CharField(max_length=200, verbose_name='comment question')),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='surveys.survey')),
            ],
        ),
        migrations.CreateModel(
            name='Response',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=surveys.models.responses.new_response_id, max_length=40, unique=True)),
                ('kind', models.CharField(choices=[('nps', 'Net Promoter Score (0–10)'), ('csat', 'satisfaction (1–5)'), ('ces', 'effort (1–7)')], max_length=4, verbose_name='scale')),
                ('score', models.PositiveSmallIntegerField(null=True)),
                ('comment', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('provisional', 'provisional'), ('confirmed', 'confirmed'), ('discarded', 'discarded')], max_length=11)),
                ('confirmed_by', models.CharField(blank=True, choices=[('button', 'pressed the button'), ('comment', 'wrote a comment'), ('change', 'changed the score'), ('late_open', 'opened the page late'), ('late_click', 'one late click')], max_length=10)),
                ('reasons', models.JSONField(default=list, help_text='what the state rests on')),
                ('first_at', models.DateTimeField(help_text='when the first answer came; the time to change it runs from here')),
                ('at', models.DateTimeField(help_text='when the answer that stands came; it counts on this day')),
                ('revision', models.PositiveSmallIntegerField(default=1, help_text='number of the revision that stands')),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
                ('customer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='referrals.customer')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='surveys.invitation')),
                ('survey', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='surveys.survey')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='surveys.surveyversion')),
            ],
        ),
        migrations.AddField(
            model_name='invitation',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='surveys.surveyversion'),
        ),
        migrations.CreateModel(
            name='ResponseRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('score', models.PositiveSmallIntegerField(null=True)),
                ('comment', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('provisional', 'provisional'), ('confirmed', 'confirmed'), ('discarded', 'discarded')], max_length=11)),
                ('confirmed_by', models.CharField(blank=True, choices=[('button', 'pressed the button'), ('comment', 'wrote a comment'), ('change', 'changed the score'), ('late_open', 'opened the page late'), ('late_click', 'one late click')], max_length=10)),
                ('at', models.DateTimeField()),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='revisions', to='surveys.response')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('response', 'number'), name='revision_numbered_once')],
            },
        ),
        migrations.CreateModel(
            name='SurveyClick',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('method', models.CharField(max_length=4)),
                ('score', models.PositiveSmallIntegerField(null=True)),
                ('seconds_since_sent', models.PositiveIntegerField(help_text='empty where the mail is not known as sent', null=True)),
                ('trap', models.BooleanField(default=False, help_text='the link that no person sees was opened', verbose_name='hidden link')),
                ('prefetch', models.BooleanField(default=False, help_text='a header told of a prefetch')),
                ('headers', models.JSONField(default=dict, help_text='those that tell a person from a machine')),
                ('invitation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clicks', to='surveys.invitation')),
            ],
            options={
                'indexes': [models.Index(fields=['invitation', 'at'], name='click_of_invitation')],
            },
        ),
        migrations.AddConstraint(
            model_name='surveyversion',
            constraint=models.UniqueConstraint(fields=('survey', 'number'), name='survey_version_numbered_once'),
        ),
        migrations.AddIndex(
            model_name='response',
            index=models.Index(fields=['survey', 'state', 'at'], name='response_of_survey'),
        ),
        migrations.AddIndex(
            model_name='response',
            index=models.Index(fields=['customer', 'at'], name='response_of_customer'),
        ),
        migrations.AddConstraint(
            model_name='response',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['provisional', 'confirmed'])), fields=('invitation',), name='an_invitation_has_one_active_response'),
        ),
        migrations.AddConstraint(
            model_name='response',
            constraint=models.CheckConstraint(condition=models.Q(('score__isnull', True), models.Q(('kind', 'nps'), ('score__lte', 10)), models.Q(('kind', 'csat'), ('score__gte', 1), ('score__lte', 5)), models.Q(('kind', 'ces'), ('score__gte', 1), ('score__lte', 7)), _connector='OR'), name='a_score_is_on_its_scale'),
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(fields=['customer', 'send_at'], name='invitation_of_customer'),
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(condition=models.Q(('state__in', ['planned', 'sent'])), fields=['expires_at'], name='invitation_to_expire'),
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(condition=models.Q(('state', 'planned')), fields=['send_at'], name='invitation_planned'),
        ),
    ]
