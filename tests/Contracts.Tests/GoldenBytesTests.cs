using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Rollouts;
using Orleans.Serialization;

namespace Muster.Contracts.Tests;

/// <summary>
/// One instance of every serialized type as the store's serializer writes it, in <c>golden/payloads.txt</c>: what an older version
/// wrote is read, and gives the same bytes again. <c>MUSTER_WRITE_DOCS=1</c> writes the file anew.
/// </summary>
public sealed class GoldenBytesTests : IDisposable
{
    private static readonly string PayloadsFile = Path.Combine("tests", "Contracts.Tests", "golden", "payloads.txt");
    private static readonly string EarlierFile = Path.Combine("tests", "Contracts.Tests", "golden", "earlier.txt");

    private readonly ServiceProvider _services = new ServiceCollection()
        .AddSerializer(serializer =>
        {
            foreach (var assembly in WireTypes.Assemblies.Values)
            {
                serializer.AddAssembly(assembly);
            }
        })
        .BuildServiceProvider();

    private Serializer Serializer => _services.GetRequiredService<Serializer>();

    [Fact]
    public void Payloads_OfAllTypes_AreTheBytesOnRecord()
    {
        var text = new StringBuilder();
        foreach (var type in Types())
        {
            text.Append($"{WireTypes.AliasOf(type)} {Convert.ToBase64String(Serializer.SerializeToArray(Sample.Of(type)))}\n");
        }

        GoldenFile.AssertSame(PayloadsFile, text.ToString());
    }

    [Fact]
    public void Payloads_OnRecord_AreReadAndWrittenAgain()
    {
        var known = Types().ToDictionary(type => WireTypes.AliasOf(type)!);
        foreach (var line in GoldenFile.Read(PayloadsFile).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var (alias, payload) = (line.Split(' ')[0], Convert.FromBase64String(line.Split(' ')[1]));

            var read = Serializer.Deserialize<object>(payload);

            Assert.True(known.TryGetValue(alias, out var type), $"{alias} is in the stores of older versions and cannot be read.");
            Assert.IsType(type, read);
            Assert.Equal(payload, Serializer.SerializeToArray(read));
        }
    }

    /// <summary>
    /// <c>golden/earlier.txt</c> has what earlier versions wrote of types that got members since: a line is added by hand with every such
    /// change of a stored type, and none is ever taken away.
    /// </summary>
    [Fact]
    public void Payloads_OfEarlierVersions_AreRead()
    {
        var known = Types().ToDictionary(type => WireTypes.AliasOf(type)!);
        foreach (var line in GoldenFile.Read(EarlierFile).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var read = Serializer.Deserialize<object>(Convert.FromBase64String(line.Split(' ')[1]));

            Assert.IsType(known[line.Split(' ')[0]], read);
        }
    }

    /// <summary>
    /// While the hosts of a cluster are replaced one by one, the older ones meet what the newer ones write: members that they do not know
    /// are passed over. (They are gone when the older host writes the record again: a new member has to have a meaning when it is missing.)
    /// </summary>
    [Fact]
    public void Payloads_WithMembersOfALaterVersion_AreReadWithoutThem()
    {
        // A hundred ids behind the last member that is known: a number, two bytes, and an object that has a number.
        byte[] later = [0x07, 0xC9, 0x03, 0x41, 0x05, 0x07, 0x07, 0x21, 0x00, 0x03, 0xE0];
        const byte EndOfObject = 0xE0;
        foreach (var line in GoldenFile.Read(PayloadsFile).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var payload = Convert.FromBase64String(line.Split(' ')[1]);
            Assert.Equal(EndOfObject, payload[^1]);

            var read = Serializer.Deserialize<object>([.. payload[..^1], .. later, EndOfObject]);

            Assert.Equal(payload, Serializer.SerializeToArray(read));
        }
    }

    /// <summary>Members that an earlier version did not know have what a new record has, and not the default of their type.</summary>
    [Fact]
    public void Device_OfAnEarlierVersion_HasNoCertificates()
    {
        var lines = GoldenFile.Read(EarlierFile).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var devices = lines.Where(line => line.StartsWith("muster.device ", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(devices);
        foreach (var line in devices)
        {
            var read = Serializer.Deserialize<Device>(Convert.FromBase64String(line.Split(' ')[1]))!;

            Assert.Equal((0, 0, null), (read.Certificates.Length, read.RevokedCertificates.Length, read.LastHello));
        }
    }

    /// <summary>As above: a gate suspends, no wave waits for anybody, and nobody has approved.</summary>
    [Fact]
    public void Rollout_OfAnEarlierVersion_AsksForNoApproval()
    {
        var lines = GoldenFile.Read(EarlierFile).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var rollouts = lines.Where(line => line.StartsWith("muster.rollout ", StringComparison.Ordinal)).ToArray();

        Assert.NotEmpty(rollouts);
        foreach (var line in rollouts)
        {
            var read = Serializer.Deserialize<Rollout>(Convert.FromBase64String(line.Split(' ')[1]))!;

            Assert.Equal((0, 0, 0), (read.Approvals.Length, read.Editors.Length, read.Spec.ApprovalsRequired));
            Assert.Equal(FailureAction.Suspend, read.Spec.FailureGate.Action);
            Assert.DoesNotContain(read.Spec.Waves, wave => wave.NeedsApproval);
            Assert.Equal((false, (WaveApproval?)null), (read.Plan.IsAborting, read.Plan.Waves[0].Approval));
        }
    }

    /// <summary>As above: every change is of an image, no settings are wanted, and every course is a rollout's own.</summary>
    [Fact]
    public void Change_OfAnEarlierVersion_IsOfAnImage()
    {
        var (changes, closed, specs, desired) = (
            Earlier<ChangeInProgress>(), Earlier<ClosedChange>(), Earlier<RolloutSpec>(), Earlier<DesiredState>());

        Assert.All(changes, change => Assert.Equal((ChangeKind.OsImage, null), (change.Kind, change.Settings)));
        Assert.All(closed, change => Assert.Equal((ChangeKind.OsImage, null), (change.Kind, change.Settings)));
        Assert.All(specs, spec => Assert.Equal((ChangeKind.OsImage, null), (spec.Kind, spec.Settings)));
        Assert.All(desired, state => Assert.Null(state.Settings));
        Assert.All(specs, spec => Assert.Null(spec.Strategy));
    }

    /// <summary>As above: every device may install at once, and nobody knows when it began; the record is written as any other.</summary>
    [Fact]
    public void InstallWindows_OfAnEarlierVersion_AreNone()
    {
        Assert.All(Earlier<ChangeInProgress>(), change =>
        {
            Assert.Equal((true, null), (change.InstallWindows.IsDefaultOrEmpty, change.InstallsSince));
            Assert.NotEmpty(Serializer.SerializeToArray(change));
        });
        Assert.All(Earlier<RolloutSpec>(), spec => Assert.True(spec.InstallWindows.IsDefaultOrEmpty));
        Assert.All(Earlier<OpenOffer>(), offer => Assert.Null(offer.InstallsSince));
        Assert.All(Earlier<WavePlan>(), wave => Assert.Equal(0, wave.Totals.Installing));
        Assert.All(Earlier<ChangeProgressed>(), fact => Assert.Equal((0, InstallStart.None), (fact.Retry, fact.Install)));
        Assert.All(Earlier<ChangeDelivered>(), fact => Assert.Equal(InstallStart.None, fact.Install));
    }

    /// <summary>As above: no wave has a filter or strata, and no member a class.</summary>
    [Fact]
    public void Waves_OfAnEarlierVersion_TakeEveryMember()
    {
        Assert.All(Earlier<WaveSpec>(), wave => Assert.Equal((false, false), (wave.HasFilter, wave.IsStratified)));
        Assert.All(Earlier<WaveSpec>(), wave => Assert.Null(WaveSorting.Of([wave])));
        Assert.All(Earlier<WaveCut>(), cut => Assert.Equal((false, false), (cut.IsFiltered, cut.IsStratified)));
        Assert.All(Earlier<MemberChunk>(), chunk => Assert.True(chunk.Classes.IsDefaultOrEmpty));
        var device = Earlier<MemberChunk>()[0].Members[0].Device;
        Assert.All(Earlier<WaveCut>(), cut => Assert.Equal(
            0, WaveCut.WaveOf([cut with { Members = 1, UpToHash = ulong.MaxValue }], MemberPoint.Of(device, 1, connected: true))));
    }

    /// <summary>As above: whatever is offered is taken back, and nobody knows the type of the module that holds the key.</summary>
    [Fact]
    public void Texts_OfAnEarlierVersion_AreEmpty()
    {
        Assert.Contains(Earlier<WithdrawChange>(), command => command.RevokedStep.Length == 0);
        Assert.Contains(Earlier<DeviceIdentity>(), identity => identity.HardwareType.Length == 0);
    }

    public void Dispose() => _services.Dispose();

    private List<T> Earlier<T>()
    {
        var alias = WireTypes.AliasOf(typeof(T)) + " ";
        List<T> read =
        [
            .. GoldenFile.Read(EarlierFile).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => line.StartsWith(alias, StringComparison.Ordinal))
                .Select(line => Serializer.Deserialize<T>(Convert.FromBase64String(line.Split(' ')[1]))!),
        ];
        Assert.NotEmpty(read);
        return read;
    }

    private static IEnumerable<Type> Types() => WireTypes.Assemblies.Values.SelectMany(WireTypes.Serialized)
        .Where(type => !type.IsAbstract && !type.IsGenericTypeDefinition)
        .OrderBy(WireTypes.AliasOf, StringComparer.Ordinal);
}
