using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Policies;

namespace Muster.Fleet;

/// <summary>
/// A fleet made from a seed: device <c>n</c> is the same in every run and process, and independent of how many others there are. Each has
/// 24 fields that lists show, 8 labels, 60 reported settings of which 4 are its own alone, 50 verdicts, of which a fifth of the fleet does
/// not keep 3, and three certificates: its maker's with the public key, and two of the fleet CA.
/// </summary>
public sealed class GeneratedFleet(int seed)
{
    public const int Labels = 8;
    public const int Settings = 60;
    public const int Verdicts = 50;

    private const int BrokenRules = 3;
    private const int Models = 40;
    private const int Sites = 60;

    /// <summary>Of the serial numbers that the fleet CA draws.</summary>
    private const int SerialBytes = 16;

    /// <summary>SubjectPublicKeyInfo of a P-256 key.</summary>
    private const int PublicKeyBytes = 91;

    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] s_versions =
    [
        "12.11.77", "12.11.80", "12.11.60", "12.6.94", "12.4.59", "11.11.160",
        "11.11.141", "11.8.64", "10.12.280", "10.12.262", "9.80.90", "9.80.3.12",
    ];

    /// <summary>The serial of device <paramref name="index"/>.</summary>
    public static string NameOf(int index) => string.Create(CultureInfo.InvariantCulture, $"ACCC{index:X8}");

    public Device Create(int index)
    {
        var random = new Random(unchecked((seed * 397) ^ (index * 7_919)));
        var id = DeviceId.TryParse(NameOf(index), out var parsed) ? parsed : throw new FormatException(NameOf(index));
        var created = Epoch.AddMinutes(random.Next(300 * 24 * 60));
        var model = $"P{1_400 + Skewed(random, Models)}-LE";
        var version = s_versions[Skewed(random, s_versions.Length)];

        // No device has reached what nobody desired: it would not be told of what is.
        var desired = random.Next(1, 6);
        return new Device
        {
            Tenant = TenantId.Default,
            Id = id,
            State = StateOf(random.Next(100)),
            StateChangedAt = created.AddMinutes(random.Next(10_000)),
            CreatedAt = created,
            Expected = new ExpectedDevice(model, "active", $"Site {Skewed(random, Sites):00}", "10.12.0", EnrollmentApproval.Automatic),
            RequestId = HexOf(random, 16),
            Identity = IdentityOf(id, random, created),
            Model = model,
            Track = random.Next(4) == 0 ? "12.11" : "active",
            OsFloor = "10.12.0",
            Os = new ReportedOs(version, Digest(version), new Guid(BytesOf(random, 16)).ToString(), true, false),
            Desired = new DesiredState(desired, null, null),
            GenerationReached = random.Next(1, desired + 1),
            LastChange = new ClosedChange(Rollout(random), 2, (ChangeOutcome)random.Next(1, 4), "", created.AddDays(3), Digest(version)),
            Compliance = ComplianceOf(random),
            Installs = random.Next(5),
            Labels = LabelsOf(random),
            Settings = SettingsOf(index, random),
            Certificates = CertificatesOf(random, created),
            LastHello = new HelloEvidence(created.AddDays(2), IdentityKind.Maker),
        };
    }

    private static DeviceState StateOf(int percentile) => percentile switch
    {
        < 90 => DeviceState.InService,
        < 95 => DeviceState.Expected,
        < 97 => DeviceState.Quarantined,
        _ => DeviceState.Decommissioned,
    };

    private static DeviceIdentity IdentityOf(DeviceId id, Random random, DateTimeOffset created) =>
        new("axis", id, HexOf(random, 32), HexOf(random, 32), [.. BytesOf(random, PublicKeyBytes)])
        {
            NotAfter = created.AddDays(random.Next(400, 1_200)),
            HardwareSerial = HexOf(random, 18).ToUpperInvariant(),
        };

    /// <summary>With the maker's they are three: the one of now, and the one before in its overlap.</summary>
    private static ImmutableArray<OperationalCertificate> CertificatesOf(Random random, DateTimeOffset created)
    {
        var renewed = created.AddDays(20);
        return
        [
            CertificateOf(random, created).ReplacedWithOverlap(renewed + CertificateTerms.Overlap),
            CertificateOf(random, renewed),
        ];
    }

    private static OperationalCertificate CertificateOf(Random random, DateTimeOffset from) => new(
        CertificateSerial.Of(BytesOf(random, SerialBytes)),
        1,
        Sha256Hash.Of(BytesOf(random, 32)),
        Sha256Hash.Of(BytesOf(random, 32)),
        from,
        from.AddDays(28));

    private static ComplianceReport ComplianceOf(Random random)
    {
        var isBroken = random.Next(5) == 0;
        ImmutableArray<RuleVerdict> broken = !isBroken ? [] :
        [
            .. Enumerable.Range(0, BrokenRules).Select(rule => new RuleVerdict(
                Id("hardening"), $"rule-{random.Next(Verdicts)}-{rule}", ComplianceState.NonCompliant, "expected 'no', found 'yes'")),
        ];
        return new ComplianceReport(
            isBroken ? ComplianceState.NonCompliant : ComplianceState.Compliant, 3, broken, Verdicts - broken.Length);
    }

    private static ImmutableArray<DeviceLabel> LabelsOf(Random random) =>
        [.. Enumerable.Range(0, Labels).Select(label => new DeviceLabel($"label-{label}", $"value-{Skewed(random, 4 << label)}"))];

    /// <summary>Most settings have a handful of values in a whole fleet; a few, such as host name and address, are of one device.</summary>
    private static SettingSet SettingsOf(int index, Random random) =>
    [
        .. Enumerable.Range(0, Settings).Select(setting => new DeviceSetting(
            $"Network.Group{setting % 7}.Parameter{setting:00}", ValueOf(setting, index, random))),
    ];

    private static string ValueOf(int setting, int index, Random random) => setting switch
    {
        < 40 => random.Next(10) == 0 ? "yes" : "no",
        < 52 => $"option-{Skewed(random, 12)}",
        < 56 => $"server-{Skewed(random, 200)}.example.net",
        56 => $"axis-{NameOf(index).ToLowerInvariant()}",
        57 => string.Create(CultureInfo.InvariantCulture, $"10.{(index >> 16) & 255}.{(index >> 8) & 255}.{index & 255}"),
        58 => NameOf(index),
        _ => HexOf(random, 8),
    };

    private static ResourceId Rollout(Random random) => Id($"rollout-{random.Next(6)}");

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static string Digest(string version) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(version)));

    /// <summary>Small numbers are far more frequent, as in every inventory.</summary>
    private static int Skewed(Random random, int count) => (int)(count * Math.Pow(random.NextDouble(), 2));

    private static byte[] BytesOf(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static string HexOf(Random random, int bytes) => Convert.ToHexStringLower(BytesOf(random, bytes));
}
