using System.CommandLine;
using Muster.Cli.Output;
using Muster.Cli.Session;
using V1 = Muster.Protocol.V1;

namespace Muster.Cli.Enrollments;

/// <summary>What tables show of requests.</summary>
internal static class EnrollmentColumns
{
    public const string FilterFields =
        "name, state, model, os_version, certificate_sha256, first_seen_at, last_seen_at, denials";

    public static IReadOnlyList<(string Header, Func<V1.Enrollment, string> Value)> All { get; } =
    [
        ("DEVICE", one => Values.Short(one.Name)),
        ("STATE", one => EnumNames.Of(one.State)),
        ("MODEL", one => one.Model),
        ("OS", one => one.OsVersion),
        ("CERTIFICATE", one => one.CertificateSha256),
        ("FIRST SEEN", one => one.FirstSeenAt?.ToDateTime().ToString("u") ?? ""),
        ("DECIDER", one => one.Decider),
        ("REASON", one => one.Reason),
    ];

    public static Argument<string> Device() => VerbOptions.Name("device", "The device: its serial number, or the request's full name.");

    public static V1.Enrollments.EnrollmentsClient Client(FleetSession session) => new(session.Calls);

    public static string NameOf(FleetSession session, ParseResult parsed, Argument<string> device) =>
        session.NameOf("enrollments", parsed.GetRequiredValue(device));
}
