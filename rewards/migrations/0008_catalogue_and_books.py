import core.clocks
import django.db.models.deletion
import rewards.models.catalogue
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from rewards.immutability import SEALS, TABLES, drop_triggers, install_triggers


def _protect(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    install_triggers(schema_editor.connection, TABLES)


def _unprotect(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    drop_triggers(schema_editor.connection, SEALS)


class Migration(migrations.Migration):

    dependencies = [
        ('referrals', '0002_assists'),
        ('rewards', '0007_forecasts'),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogueItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='its name in addresses and in the API', max_length=60, unique=True)),
                ('title', models.CharField(max_length=80)),
                ('words', models.TextField(blank=True, help_text='what the customer reads about it', max_length=600)),
                ('points', models.PositiveIntegerField(help_text='the price of one')),
                ('stock', models.PositiveIntegerField(blank=True, help_text='how many are left; empty: unlimited', null=True)),
                ('per_customer', models.PositiveIntegerField(blank=True, help_text='how many one customer may have; empty: no limit', null=True)),
                ('kind', models.CharField(choices=[('manual', 'by hand'), ('coupon', 'coupon'), ('credit', 'store credit'), ('gift_card', 'gift card'), ('perk', 'perk')], default='manual', max_length=12)),
                ('what', models.CharField(blank=True, help_text='what is handed over: the coupon pool, the perk, the article number', max_length=60)),
                ('amount_minor', models.PositiveBigIntegerField(blank=True, help_text='of a credit or gift card, in cents', null=True)),
                ('currency', models.CharField(blank=True, help_text='ISO 4217', max_length=3)),
                ('starts_at', models.DateTimeField(blank=True, help_text='empty: at once', null=True)),
                ('ends_at', models.DateTimeField(blank=True, help_text='empty: for ever; from then on it is gone', null=True)),
                ('is_shown', models.BooleanField(default=True, verbose_name='shown')),
                ('picture', models.BinaryField(blank=True, default=bytes)),
                ('picture_type', models.CharField(blank=True, max_length=20)),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=rewards.models.catalogue.new_redemption_id, max_length=40, unique=True)),
                ('title', models.CharField(help_text="the item's, as it was then", max_length=80)),
                ('quantity', models.PositiveIntegerField()),
                ('points', models.PositiveBigIntegerField(help_text='paid for all of them')),
                ('takes_stock', models.BooleanField(help_text='whether it took from a limited stock')),
                ('kind', models.CharField(max_length=12)),
                ('detail', models.JSONField(default=dict, help_text='what is handed over, as the item said then')),
                ('state', models.CharField(choices=[('reserved', 'reserved'), ('placed', 'placed'), ('fulfilled', 'fulfilled'), ('cancelled', 'cancelled'), ('failed', 'failed')], max_length=10)),
                ('expires_at', models.DateTimeField(help_text='end of a reservation that is not confirmed', null=True)),
                ('request_key', models.CharField(blank=True, help_text='of the form it came from, so that it comes once', max_length=80)),
                ('outcome', models.TextField(blank=True, help_text='what the customer reads when it is done or undone')),
                ('created_at', models.DateTimeField(default=core.clocks.now, editable=False)),
                ('settled_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RedemptionStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('what', models.CharField(max_length=12)),
                ('why', models.CharField(blank=True, max_length=500)),
                ('actor', models.CharField(blank=True, help_text='empty: the rules', max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(help_text="on which it was sealed, in the installation's zone")),
                ('from_id', models.BigIntegerField(help_text='the first transfer', unique=True)),
                ('to_id', models.BigIntegerField(help_text='the last transfer', unique=True)),
                ('sha256', models.CharField(max_length=64)),
                ('prev_sha256', models.CharField(blank=True, help_text='of the seal before; empty: the first', max_length=64)),
                ('marks', models.BinaryField()),
                ('sealed_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='lot',
            name='warn_at',
            field=models.DateTimeField(help_text='when its owner is next told that it expires', null=True),
        ),
        migrations.AddField(
            model_name='lotuse',
            name='extends_to',
            field=models.DateTimeField(help_text="the lot's new end, where it had expired meanwhile", null=True),
        ),
        migrations.AlterField(
            model_name='lot',
            name='expires_at',
            field=models.DateTimeField(help_text='its last instant', null=True),
        ),
        migrations.AddIndex(
            model_name='lot',
            index=models.Index(condition=models.Q(('remaining__gt', 0)), fields=['expires_at'], name='lot_to_expire'),
        ),
        migrations.AddIndex(
            model_name='lot',
            index=models.Index(condition=models.Q(('remaining__gt', 0)), fields=['warn_at'], name='lot_to_warn_of'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(('points__gt', 0)), name='item_costs_something'),
        ),
        migrations.AddConstraint(
            model_name='catalogueitem',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('starts_at', None), ('starts_at__lt', models.F('ends_at')), _connector='OR'), name='item_starts_before_it_ends'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='customer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='referrals.customer'),
        ),
        migrations.AddField(
            model_name='redemption',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='rewards.catalogueitem'),
        ),
        migrations.AddField(
            model_name='transfer',
            name='redemption',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='rewards.redemption'),
        ),
        migrations.AddField(
            model_name='redemptionstep',
            name='redemption',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='rewards.redemption'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.CheckConstraint(condition=models.Q(('from_id__lte', models.F('to_id'))), name='seal_covers_something'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.UniqueConstraint(fields=('prev_sha256',), name='seals_form_one_chain'),
        ),
        migrations.AddIndex(
            model_name='redemption',
            index=models.Index(fields=['customer', '-created_at'], name='redemption_of_customer'),
        ),
        migrations.AddIndex(
            model_name='redemption',
            index=models.Index(condition=models.Q(('state', 'reserved')), fields=['expires_at'], name='reservation_to_end'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.CheckConstraint(condition=models.Q(('points__gt', 0), ('quantity__gt', 0)), name='redemption_is_of_something'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'reserved'), _negated=True), ('expires_at__isnull', False), _connector='OR'), name='reservation_ends'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.UniqueConstraint(condition=models.Q(('request_key', ''), _negated=True), fields=('request_key',), name='one_redemption_a_form'),
        ),
        migrations.AddIndex(
            model_name='redemptionstep',
            index=models.Index(fields=['redemption', 'at'], name='step_of_redemption'),
        ),
        migrations.RunPython(_protect, _unprotect),
    ]
