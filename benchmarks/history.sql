-- Members with a past, made in bulk: INSERT ... SELECT with every constraint and index in place.
-- Each member has an opening credit of 100,000 points, then ten transactions per round: four orders
-- of 100 points, their four maturities, a credit of 50, and a redemption of 100 from the oldest lot.
-- Hashes have the chain's shape and not its content, so `loyalty ledger verify` would object.
-- Parameters: members, rounds (at most 4: the redemptions then spend the first round's lots), kind.

CREATE TEMPORARY TABLE people ON COMMIT DROP AS
SELECT %(kind)s || lpad(n::text, 8, '0') AS who
FROM generate_series(1, %(members)s) AS n;

CREATE TEMPORARY TABLE steps ON COMMIT DROP AS
SELECT who, round, step,
       1 + round * 10 + step AS sequence,
       'ltx_' || who || lpad((1 + round * 10 + step)::text, 4, '0') AS id,
       CASE WHEN step <= 4 OR step = 9
            THEN 'lot_' || who || lpad((1 + round * 10 + step)::text, 4, '0') END AS opens,
       CASE WHEN step BETWEEN 5 AND 8
            THEN 'lot_' || who || lpad((1 + round * 10 + step - 4)::text, 4, '0')
            WHEN step = 10 THEN 'lot_' || who || lpad((2 + round)::text, 4, '0') END AS draws_on,
       CASE WHEN step <= 4 THEN 'earn' WHEN step <= 8 THEN 'maturity'
            WHEN step = 9 THEN 'credit' ELSE 'redemption' END AS kind,
       100000 + 350 * round + 100 * greatest(0, least(step, 8) - 4)
           + CASE WHEN step >= 9 THEN 50 ELSE 0 END
           - CASE WHEN step >= 10 THEN 100 ELSE 0 END AS available_after,
       100 * (least(step, 4) - greatest(0, least(step, 8) - 4)) AS pending_after,
       now() - interval '340 days' + round * interval '80 days'
           + CASE WHEN step <= 4 THEN step WHEN step <= 8 THEN step + 10
                  WHEN step = 9 THEN 25 ELSE 30 END * interval '1 day' AS at
FROM people
CROSS JOIN generate_series(0, %(rounds)s - 1) AS round
CROSS JOIN generate_series(1, 10) AS step
UNION ALL
SELECT who, 0, 0, 1, 'ltx_' || who || '0001', 'lot_' || who || '0001', NULL, 'credit', 100000, 0,
       now() - interval '341 days'
FROM people;

INSERT INTO members (program_id, id, external_id, email, name, enrolled_at, updated_at)
SELECT 'default', 'mem_' || who, 'customer-' || who, who || '@shop.example', 'Customer ' || who,
       now() - interval '342 days', now() - interval '342 days'
FROM people;

INSERT INTO accounts (program_id, member_id, available, lifetime_earned, sequence, lots_opened,
                      head_hash, recorded_at, next_due_at)
SELECT 'default', 'mem_' || who, 100000 + 350 * %(rounds)s, 400 * %(rounds)s,
       1 + 10 * %(rounds)s, 1 + 5 * %(rounds)s,
       encode(sha256(convert_to(who || (1 + 10 * %(rounds)s), 'UTF8')), 'hex'),
       now() - interval '1 day',
       CASE WHEN %(rounds)s > 0 THEN now() + interval '117 days' ELSE now() + interval '700 days' END
FROM people;

INSERT INTO transactions (program_id, id, member_id, sequence, kind, occurred_at, recorded_at,
                          context, available_after, pending_after, held_after, debt_after,
                          previous_hash, hash)
SELECT 'default', id, 'mem_' || who, sequence, kind, at, at,
       CASE kind
       WHEN 'earn' THEN '{"cause":"order","currency":"eur","explanation":{"pending_days":14,'
           '"rules":[{"counted_minor":10000,"exact":"100/1","per_minor":100,"points":100,'
           '"points_per":"1/1","rounding":"floor","rule":"purchase"}]},"order":"past-' || id
           || '","program_version":1}'
       WHEN 'maturity' THEN '{"cause":"time"}'
       WHEN 'credit' THEN '{"actor":"stf_past","cause":"adjustment","program_version":1,'
           '"reason":"appreciation","role":"admin"}'
       ELSE '{"cause":"redemption","program_version":1,"redemption":"rdm_' || who || sequence
           || '","reward":"money_off","reward_name":"Money off your order"}' END,
       available_after, pending_after, 0, 0,
       encode(sha256(convert_to(who || (sequence - 1), 'UTF8')), 'hex'),
       encode(sha256(convert_to(who || sequence, 'UTF8')), 'hex')
FROM steps ORDER BY steps.at, steps.id;

INSERT INTO lots (program_id, id, member_id, number, opened_by, earned_at, matures_at, expires_at,
                  pending, available, held)
SELECT 'default', opens, 'mem_' || who,
       CASE step WHEN 0 THEN 1 WHEN 9 THEN 1 + 5 * round + 5 ELSE 1 + 5 * round + step END,
       id, at, CASE WHEN step BETWEEN 1 AND 4 THEN at + interval '14 days' ELSE at END,
       CASE step WHEN 0 THEN now() + interval '700 days' ELSE at + interval '456 days' END,
       0,
       CASE WHEN step = 0 THEN 100000 WHEN step = 9 THEN 50
            WHEN round = 0 AND step <= %(rounds)s THEN 0 ELSE 100 END,
       0
FROM steps WHERE opens IS NOT NULL ORDER BY steps.at, steps.id;

INSERT INTO postings (program_id, transaction_id, line, debit_kind, debit_lot_id, credit_kind,
                      credit_lot_id, points)
SELECT 'default', id, 1,
       CASE kind WHEN 'earn' THEN 'issued' WHEN 'maturity' THEN 'pending'
                 WHEN 'credit' THEN 'adjusted' ELSE 'available' END,
       draws_on,
       CASE kind WHEN 'earn' THEN 'pending' WHEN 'redemption' THEN 'redeemed'
                 ELSE 'available' END,
       CASE WHEN kind = 'maturity' THEN draws_on ELSE opens END,
       CASE WHEN step = 0 THEN 100000 WHEN step = 9 THEN 50 ELSE 100 END
FROM steps ORDER BY steps.at, steps.id;

INSERT INTO orders (program_id, id, member_id, source, placed_at, currency, content, points_earned,
                    available_at, transaction_id, recorded_at)
SELECT 'default', 'past-' || id, 'mem_' || who, 'shop', at, 'eur',
       '{"currency":"eur","discount":0,"lines":[{"category":"skin care","quantity":1,'
       '"sku":"serum-30","unit_amount":10000}],"member":"mem_' || who
       || '","placed_at":"2026-01-01T00:00:00.000000Z","shipping":490,"tax":1650}',
       100, at + interval '14 days', id, at
FROM steps WHERE kind = 'earn' ORDER BY steps.at, steps.id;

INSERT INTO adjustments (program_id, id, member_id, points, reason, note, customer_note, actor_id,
                         transaction_id, created_at)
SELECT 'default', 'adj_' || who || sequence, 'mem_' || who,
       CASE step WHEN 0 THEN 100000 ELSE 50 END, 'appreciation', 'Made in bulk.', 'Thank you.',
       'stf_past', id, at
FROM steps WHERE kind = 'credit' ORDER BY steps.at, steps.id;

INSERT INTO redemptions (program_id, id, member_id, reward_id, reward_name, program_version, status,
                         points, code, currency, amount_off_minor, minimum_order_minor, coupon_id,
                         promotion_code_id, transaction_id, created_at, expires_at)
SELECT 'default', 'rdm_' || who || sequence, 'mem_' || who, 'money_off', 'Money off your order', 1,
       'issued', 100, 'PAST-' || upper(who) || '-' || sequence, 'eur', 300, 600, 'past',
       'promo_' || who || sequence, id, at, at + interval '90 days'
FROM steps WHERE kind = 'redemption' ORDER BY steps.at, steps.id;

INSERT INTO jobs (program_id, id, kind, subject_id, status, attempts, available_at, created_at)
SELECT 'default', 'job_' || who || sequence, 'issue_code', 'rdm_' || who || sequence, 'done', 1,
       at, at
FROM steps WHERE kind = 'redemption' ORDER BY steps.at, steps.id;

INSERT INTO idempotency_keys (program_id, principal, key, fingerprint, status, body, resource_id,
                              created_at)
SELECT 'default', 'cli_past', 'past-' || id, encode(sha256(convert_to(id, 'UTF8')), 'hex'), 201,
       CASE WHEN kind = 'redemption' OR at < now() - interval '30 days' THEN NULL
            ELSE repeat('{"object": "order"}', 25) END,
       id, at
FROM steps WHERE kind IN ('earn', 'credit', 'redemption') ORDER BY steps.at, steps.id;
