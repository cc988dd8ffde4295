from django.db import migrations


def add_scale(apps, schema_editor):
    """Give survey mails that wait to be sent what their template shows since there are other scales than 0 to 10."""
    waiting = apps.get_model("messaging", "Message").objects.filter(
        kind="survey_invitation", state__in=("queued", "sending", "failed")
    )
    for message in waiting.iterator():
        for link in message.context.get("score_links", []):
            link.setdefault("mark", str(link["score"]))
        message.context = {"scale_low": 0, "scale_high": 10, "accent": "", **message.context}
        message.save(update_fields=["context"])


class Migration(migrations.Migration):
    dependencies = [("messaging", "0005_gates")]
    operations = [migrations.RunPython(add_scale, migrations.RunPython.noop)]
