using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Storage;
using Orleans.Serialization;

namespace Muster.Redis.Tests;

/// <summary>The storage's own codecs against the framework's: what one writes the other reads, as silos of two versions do.</summary>
public sealed class CodecTests
{
    private static readonly Serializer s_framework =
        new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();

    private static readonly Serializer s_own =
        new ServiceCollection().AddMusterStorage().BuildServiceProvider().GetRequiredService<Serializer>();

    [Fact]
    public void Write_OfADeviceWithMoreObjectsThanTheArrayHolds_IsByteForByteTheFrameworks()
    {
        var device = DeviceOf(labels: 32);

        Assert.Equal(Convert.ToHexString(s_framework.SerializeToArray(device)), Convert.ToHexString(s_own.SerializeToArray(device)));
    }

    [Fact]
    public void Read_OfWhatTheFrameworkWrote_IsTheDevice() => AssertSame(DeviceOf(labels: 8), s_framework, s_own);

    [Fact]
    public void Read_ByTheFramework_IsTheDevice() => AssertSame(DeviceOf(labels: 8), s_own, s_framework);

    [Fact]
    public void Read_OfOneLabelTwiceAndOfOneTextTwice_IsTheSameEitherWay()
    {
        var text = new string('t', 3);
        var label = new DeviceLabel(text, text);
        var device = DeviceOf(labels: 0) with { Track = text, Labels = [label, label, new DeviceLabel("z", text)] };

        AssertSame(device, s_framework, s_own);
        AssertSame(device, s_own, s_framework);
    }

    [Fact]
    public void Read_OfADefaultArrayAndOfOneThatTwoFieldsShare_IsTheSameEitherWay()
    {
        var bytes = ImmutableArray.Create<byte>(1, 2, 3);
        var device = DeviceOf(labels: 1) with
        {
            Alarms = default,
            Identity = IdentityOf(bytes),
            Desired = new DesiredState(2, new OsTarget("digest", "13.0.1", 3, bytes), null),
        };

        AssertSame(device, s_framework, s_own);
        AssertSame(device, s_own, s_framework);
        Assert.True(s_framework.Deserialize<Device>(s_own.SerializeToArray(device))!.Alarms.IsDefault);
    }

    [Fact]
    public void Take_OfWhatWasWritten_GivesTheEntryOnce()
    {
        var written = new WrittenEntries();
        var (entry, bytes) = (EntryOf(1), new byte[] { 1, 2, 3 });
        written.Add(entry, bytes);

        Assert.Null(written.Take(FeedReader.FingerprintOf([1, 2, 4])));
        Assert.Same(entry, written.Take(FeedReader.FingerprintOf(bytes)));
        Assert.Null(written.Take(FeedReader.FingerprintOf(bytes)));
    }

    [Fact]
    public void Take_OfMoreThanAreKept_FindsTheNewestInEachPlace()
    {
        var written = new WrittenEntries();
        const int Count = 3 * WrittenEntries.EntriesMax;
        for (var i = 0; i < Count; i++)
        {
            written.Add(EntryOf(i), BitConverter.GetBytes(i));
        }

        var found = Enumerable.Range(0, Count)
            .Select(i => (Number: i, Entry: written.Take(FeedReader.FingerprintOf(BitConverter.GetBytes(i)))))
            .Where(one => one.Entry is not null)
            .ToList();

        Assert.InRange(found.Count, 1, WrittenEntries.EntriesMax);
        Assert.All(found, one => Assert.Equal(one.Number, one.Entry!.Version));
        Assert.Contains(found, one => one.Number == Count - 1);
    }

    private static void AssertSame(Device device, Serializer writer, Serializer reader)
    {
        var read = reader.Deserialize<Device>(writer.SerializeToArray(device))!;

        // Records compare arrays by reference, but for the empty one.
        Assert.Equal(device.Labels.AsSpan(), read.Labels.AsSpan());
        Assert.Equal(device.Identity!.PublicKey.AsSpan(), read.Identity!.PublicKey.AsSpan());
        Assert.Equal(device.Desired.Os?.Signature.ToArray() ?? [], read.Desired.Os?.Signature.ToArray() ?? []);
        Assert.Equal(device, read with
        {
            Labels = device.Labels,
            Identity = read.Identity with { PublicKey = device.Identity.PublicKey },
            Desired = device.Desired,
        });
    }

    private static Device DeviceOf(int labels) => new()
    {
        Tenant = TenantId.Default,
        Id = Id,
        State = DeviceState.InService,
        StateChangedAt = DateTimeOffset.UnixEpoch,
        CreatedAt = DateTimeOffset.UnixEpoch,
        Expected = new ExpectedDevice("P3265-V", "active", "Site 1", "12.0", EnrollmentApproval.Automatic),
        RequestId = "request",
        Identity = IdentityOf([4, 5, 6]),
        Labels = [.. Enumerable.Range(0, labels).Select(number => new DeviceLabel($"name-{number}", $"värde {number}"))],
    };

    private static DeviceIdentity IdentityOf(ImmutableArray<byte> key) => new("axis", Id, new string('a', 64), new string('b', 64), key);

    private static DeviceId Id { get; } = DeviceId.TryParse("B8A44F000001", out var id) ? id : throw new FormatException();

    private static FeedEntry EntryOf(long version) => new()
    {
        Id = Guid.Empty,
        Record = new RecordKey("muster.device", "default/A1"),
        Version = version,
        At = DateTimeOffset.UnixEpoch,
        Actor = Actor.Operator("anna"),
        Fact = new NoteWritten { Text = "text", Number = 1 },
    };
}
