-- find_near_copies: works whose content code differs little from a given one.
-- in    iscc_type text (codes of one type compare), bits bit varying, most real (0..1, share of
--       differing bits allowed)
-- out   work id, share of differing bits over the common length; nearest first
-- A full scan of one type's codes.
SELECT work.id,
       bit_count(substring(work.iscc_bits FOR common.length)
                 # substring(%(bits)s::bit varying FOR common.length))::float8
       / common.length AS distance
  FROM registry_work AS work,
       LATERAL (SELECT least(length(work.iscc_bits), length(%(bits)s::bit varying)) AS length)
           AS common
 WHERE work.iscc_type = %(iscc_type)s
   AND bit_count(substring(work.iscc_bits FOR common.length)
                 # substring(%(bits)s::bit varying FOR common.length))
       <= %(most)s * common.length
 ORDER BY distance, work.id
