-- refuse_keys: record that drafts are refused for ever.
-- in    keys uuid[n], digests bytea[n], accounts int[n], reasons smallint[n], refused_at timestamptz
-- locks the lane, until commit
INSERT INTO ledger_refusal (key, draft_digest, account_id, reason, refused_at)
SELECT key, digest, account, reason, %(refused_at)s
  FROM unnest(%(keys)s::uuid[], %(digests)s::bytea[], %(accounts)s::int[], %(reasons)s::smallint[])
           AS refused (key, digest, account, reason);
