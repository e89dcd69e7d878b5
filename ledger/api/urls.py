"""The ledger's addresses below /v1/, and the provider's below /webhooks/."""

from django.urls import path

from ledger.api.views import creators, operators, payouts, proposals, webhooks

urlpatterns = [
    path("balance", operators.PrepaidBalance.as_view()),
    path("topups", operators.TopUps.as_view()),
    path("earnings", creators.Earnings.as_view()),
    path("statements-of-account/<str:period>.csv", creators.StatementOfAccount.as_view()),
    path("statements-of-account/<str:period>.pdf", creators.StatementDocument.as_view()),
    path("payee", creators.Payee.as_view()),
    path("payout-batches", payouts.PayoutBatches.as_view()),
    path("payout-batches/<str:batch_id>:submit", payouts.Submission.as_view()),
    path("payout-batches/<str:batch_id>:cancel", payouts.Cancellation.as_view()),
    path("payout-batches/<str:batch_id>:issue", payouts.Issue.as_view()),
    path("payout-batches/<str:batch_id>/payment-file", payouts.PaymentFile.as_view()),
    path("payout-batches/<str:batch_id>:resume", payouts.Resumption.as_view()),
    path("payouts/stuck", payouts.StuckPayouts.as_view()),
    path("payouts/<str:payout_id>:settle-difference", payouts.Difference.as_view()),
    path("payouts/<str:payout_id>:mark-paid", payouts.MarkPaid.as_view()),
    path("payouts/<str:payout_id>:mark-failed", payouts.MarkFailed.as_view()),
    path("payout-batches/<str:batch_id>", payouts.OnePayoutBatch.as_view()),
    path("reconciliations", payouts.Reconciliations.as_view()),
    path("missed-events", payouts.MissedEvents.as_view()),
    path("proposals", proposals.Proposals.as_view()),
    path("proposals/<str:proposal_id>:withdraw", proposals.Withdrawal.as_view()),
    path("proposals/<str:proposal_id>", proposals.OneProposal.as_view()),
]

webhook_urlpatterns = [path("stripe", webhooks.stripe)]
