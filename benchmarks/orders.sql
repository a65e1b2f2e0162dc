-- Orders of many members, made in bulk for a backtest: INSERT ... SELECT with every constraint in
-- place. Each member has so many orders, one every 36 days; the third is refunded in part, points
-- are given after the fourth and spent after the last.
-- Only what a backtest reads is there: no lots, no postings, and hashes of the chain's shape alone,
-- so `loyalty ledger verify` would object.
-- Parameters: members, orders (of each member, at least 4).

CREATE TEMPORARY TABLE people ON COMMIT DROP AS
SELECT lpad(n::text, 8, '0') AS who, n FROM generate_series(1, %(members)s) AS n;

CREATE TEMPORARY TABLE steps ON COMMIT DROP AS
SELECT who, n, step, 'earn' AS kind, 2 * step AS sequence,
       now() - interval '395 days' + step * (interval '360 days' / %(orders)s)
           + n %% 1000 * interval '1 minute' AS at
FROM people CROSS JOIN generate_series(1, %(orders)s) AS step;

INSERT INTO steps
SELECT who, n, step, CASE step WHEN 3 THEN 'claw_back' WHEN 4 THEN 'credit' ELSE 'redemption' END,
       sequence + 1, at + interval '20 days'
FROM steps WHERE step IN (3, 4, %(orders)s);

INSERT INTO members (program_id, id, external_id, enrolled_at, updated_at)
SELECT 'default', 'mem_' || who, 'customer-' || who, now() - interval '398 days', now()
FROM people;

INSERT INTO accounts (program_id, member_id, sequence, head_hash, recorded_at)
SELECT 'default', 'mem_' || who, 2 * %(orders)s + 1, repeat('0', 64), now() FROM people;

INSERT INTO transactions (program_id, id, member_id, sequence, kind, occurred_at, recorded_at,
                          context, available_after, pending_after, held_after, debt_after,
                          previous_hash, hash)
SELECT 'default', 'ltx_' || who || lpad(sequence::text, 4, '0'), 'mem_' || who, sequence, kind, at,
       at, '{"cause":"bulk"}', 0, 0, 0, 0, repeat('0', 64), repeat('0', 64)
FROM steps;

INSERT INTO orders (program_id, id, member_id, source, placed_at, currency, content, points_earned,
                    available_at, transaction_id, recorded_at, earned_by, points_issued)
SELECT 'default', 'order-' || who || step, 'mem_' || who, 'shop', at, 'eur',
       '{"currency":"eur","discount":0,"lines":['
           || '{"category":"skin care","quantity":1,"sku":"serum-30","unit_amount":'
           || 1000 + (n * 37 + step * 911) %% 9000
           || '},{"category":"make-up","quantity":2,"sku":"lip-07","unit_amount":1290}],'
           || '"member":"mem_' || who || '","placed_at":"2026-01-01T00:00:00.000000Z",'
           || '"shipping":490,"tax":1650}',
       0, at + interval '14 days', 'ltx_' || who || lpad(sequence::text, 4, '0'), at,
       'ltx_' || who || lpad(sequence::text, 4, '0'), 0
FROM steps WHERE kind = 'earn';

INSERT INTO refunds (program_id, id, order_id, status, content, points_taken, transaction_id,
                     recorded_at)
SELECT 'default', 'refund-' || who, 'order-' || who || step, 'settled', '{"amount":1000}', 0,
       'ltx_' || who || lpad(sequence::text, 4, '0'), at
FROM steps WHERE kind = 'claw_back';

INSERT INTO adjustments (program_id, id, member_id, points, reason, actor_id, transaction_id,
                         created_at)
SELECT 'default', 'adj_' || who, 'mem_' || who, 50, 'appreciation', 'stf_past',
       'ltx_' || who || lpad(sequence::text, 4, '0'), at
FROM steps WHERE kind = 'credit';

INSERT INTO redemptions (program_id, id, member_id, reward_id, reward_name, program_version, status,
                         points, code, currency, amount_off_minor, coupon_id, promotion_code_id,
                         transaction_id, created_at)
SELECT 'default', 'rdm_' || who, 'mem_' || who, 'money_off', 'Money off your order', 1, 'issued',
       100, 'PAST-' || who, 'eur', 300, 'past', 'promo_' || who,
       'ltx_' || who || lpad(sequence::text, 4, '0'), at
FROM steps WHERE kind = 'redemption';
