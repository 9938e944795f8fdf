-- Provides what Supabase provides and the generated migrations rely on, in a cluster without Supabase:
-- the roles of its API, and auth.uid(), which names the signed-in person of a request.
-- May run any number of times, and changes nothing that is there already: on Supabase it does nothing at all.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        END IF;
    END LOOP;

    IF to_regnamespace('auth') IS NULL THEN
        CREATE SCHEMA auth;
        GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
    END IF;

    IF to_regprocedure('auth.uid()') IS NULL THEN
        -- The claims are those of a verified token; a connection without them is nobody.
        CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $function$
            SELECT coalesce(
                nullif(current_setting('request.jwt.claim.sub', true), ''),
                nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
            )::uuid
        $function$;
    END IF;
END
$$;
