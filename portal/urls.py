"""The addresses of people's pages."""

from django.urls import path

from portal.views import (
    account,
    appearance,
    audit,
    consent,
    credentials,
    earnings,
    generative_models,
    joining,
    keys,
    operator,
    overview,
    payout_batches,
    payouts,
    public,
    sites,
    statements,
    works,
)

app_name = "portal"
urlpatterns = [
    # Anybody
    path("", public.home, name="home"),
    path("look-up/", public.look_up, name="look-up"),
    path("works/<str:work_id>", public.work, name="public-work"),
    path("theme", appearance.theme, name="theme"),
    # Everybody with an account
    path("overview/", overview.overview, name="overview"),
    path("welcome/", joining.welcome, name="welcome"),
    path("welcome/join", joining.join, name="join"),
    path("welcome/found", joining.found, name="found"),
    path("account/", account.account, name="account"),
    path("account/act-as", joining.act_as, name="act-as"),
    # Creators
    path("works/", works.works, name="works"),
    path("works/new/", works.register, name="register"),
    path("works/<str:work_id>/mine/", works.work, name="work"),
    path("works/<str:work_id>/confirm", works.confirm_share, name="confirm-share"),
    path("works/<str:work_id>/consent", consent.say_work, name="say-work"),
    path("sites/", sites.sites, name="sites"),
    path("sites/<str:site_id>/", sites.site, name="site"),
    path("sites/<str:site_id>/check", sites.check_site, name="check-site"),
    path("sites/<str:site_id>/consent", consent.say_site, name="say-site"),
    path("consent/", consent.consent, name="consent"),
    path("consent/default", consent.say_default, name="say-default"),
    path("consent/preview", consent.preview, name="preview"),
    path("consent/save", consent.say_together, name="say-together"),
    path("terms/", consent.terms, name="terms"),
    path("earnings/", earnings.earnings, name="earnings"),
    path("earnings/queries/<str:query_id>/", earnings.query, name="query"),
    path("earnings/statements/<str:period>/", statements.statement, name="statement"),
    path("earnings/statements/<str:period>.csv", statements.statement_csv, name="statement-csv"),
    path("payouts/", payouts.payouts, name="payouts"),
    path("payouts/onboard", payouts.onboard, name="onboard"),
    path("payouts/onboarded", payouts.onboarded, name="onboarded"),
    # Operators
    path("operator/", operator.overview, name="operator"),
    path("operator/keys/", keys.keys, name="keys"),
    path("operator/keys/<str:key_id>/revoke", keys.revoke, name="revoke-key"),
    path("operator/models/", generative_models.models, name="models"),
    path("operator/models/<str:model_id>/", generative_models.model, name="model"),
    path(
        "operator/models/<str:model_id>/manifest",
        generative_models.send_manifest,
        name="send-manifest",
    ),
    path("operator/balance/", operator.balance, name="balance"),
    path("operator/usage/", operator.usage, name="usage"),
    path("operator/usage/<str:query_id>/", operator.query, name="operator-query"),
    path("operator/usage/<str:query_id>/sign", credentials.sign, name="sign-credits"),
    # Payout admins
    path("payout-batches/", payout_batches.batches, name="payout-batches"),
    path("payout-batches/prepare", payout_batches.prepare, name="prepare-payouts"),
    path("payout-batches/<str:batch_id>/", payout_batches.batch, name="payout-batch"),
    path("payout-batches/<str:batch_id>/submit", payout_batches.submit, name="submit-payouts"),
    path("payout-batches/<str:batch_id>/approve", payout_batches.approve, name="approve-payouts"),
    path("payout-batches/<str:batch_id>/cancel", payout_batches.cancel, name="cancel-payouts"),
    path("audit/", audit.audit, name="audit"),
]
