using System.Security.Cryptography;
using Muster.Contracts.Commit;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Revocations;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Images;
using Muster.Grains.Tests.Inventory;

namespace Muster.Grains.Tests.Revocations;

/// <summary>What a silo tells gateways of the revocations that real devices committed.</summary>
public sealed class RevocationTailsTests : InventorySilo
{
    [Fact]
    public async Task WatchAsync_OfAnyPartition_TellsOfAllThatTheSiloHasAndHowOldItsNewsIs()
    {
        var partitions = Enumerable.Range(0, PartitionMap.CountMin).ToArray();
        foreach (var partition in partitions)
        {
            await Silo.Client.GetRevocations(partition).WatchAsync([]);
        }

        var reply = await Silo.Client.GetRevocations(3).WatchAsync([]);

        Assert.Equal(partitions, reply.Tails.Select(tail => tail.Partition).Order());
        Assert.Equal((null, false), (reply.From, reply.IsContinuous));

        // Nothing happens, and the news stays young all the same: the silo looks at its feeds once a second.
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        await UntilAsync(async () => (await Silo.Client.GetRevocations(3).WatchAsync([])).Tails
            .All(tail => tail.Age < TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task WatchAsync_BehindACursor_TellsTheRevocationsSinceAndNothingElse()
    {
        await ExpectAsync("A");
        var feed = Silo.Client.GetRevocations(PartitionOf("A"));
        var first = await feed.WatchAsync([]);
        await EditAsync("A", 1);
        await EnrolAsync("A");

        await UntilAsync(async () => (await feed.WatchAsync([first.Cursor])).Revocations.Length > 0);
        var reply = await feed.WatchAsync([new RevocationCursor(Guid.NewGuid(), 5), first.Cursor]);

        Assert.Equal([new Revocation(TenantId.Default, Id("A"), RevocationEffect.Judge)], reply.Revocations);
        Assert.Equal((first.Cursor.Sequence, true), (reply.From, reply.IsContinuous));
        var before = first.Tails.Single(tail => tail.Partition == PartitionOf("A"));
        var after = reply.Tails.Single(tail => tail.Partition == PartitionOf("A"));
        Assert.Equal(before.Tail, after.Tail);
        Assert.True(after.Position.Sequence > before.Position.Sequence + 1);
        Assert.Empty((await feed.WatchAsync([reply.Cursor])).Revocations);
    }

    [Fact]
    public async Task WatchAsync_AfterAnImageWasRevoked_TellsOfItAndOfNothingElseThatBecameOfIt()
    {
        var digest = ImageDigest.Of(RandomNumberGenerator.GetBytes(32));
        Vault.Upload(digest, new ImageVerdict(new ImageContent(digest, 10), new ImageSigner("CN=Publisher", new string('c', 64)), null));
        var partition = new PartitionMap(PartitionMap.CountMin).PartitionOf(TenantId.Default, digest);
        var feed = Silo.Client.GetRevocations(partition);
        var first = await feed.WatchAsync([]);
        var image = Silo.Client.GetImage(TenantId.Default, digest);
        var manifest = new ImageManifest("13.0.1", ImageTrack.Active, ["P3265-V"], 10);
        Assert.Null((await image.RegisterAsync(new RegisterImage(Actor.Operator("anna"), "r1", manifest, [1]))).Error);

        Assert.Null((await image.RevokeAsync(new RevokeImage(Actor.Operator("anna"), "It bricks cameras.", "r2"))).Error);

        await UntilAsync(async () => (await feed.WatchAsync([first.Cursor])).Revocations.Length > 0);
        Revocation[] told = [Revocation.OfImage(TenantId.Default, digest)];
        Assert.Equal(told, (await feed.WatchAsync([first.Cursor])).Revocations);
        var before = first.Tails.Single(tail => tail.Partition == partition).Position;
        Assert.Equal(told, (await feed.ReadSinceAsync(before)).Revocations);
    }

    [Fact]
    public async Task WatchAsync_AfterTheTailMoved_NamesAnotherTailAndWhatWasMissedIsReadByPosition()
    {
        await ExpectAsync("A");
        var feed = Silo.Client.GetRevocations(PartitionOf("A"));
        var before = (await feed.WatchAsync([])).Tails.Single(tail => tail.Partition == PartitionOf("A"));
        await Silo.DeactivateAsync(((GrainReference)InventoryOf("A")).GrainId);
        await EnrolAsync("A");

        var after = (await feed.WatchAsync([])).Tails.Single(tail => tail.Partition == PartitionOf("A"));
        var missed = await feed.ReadSinceAsync(before.Position);

        Assert.NotEqual(before.Tail, after.Tail);
        Assert.Equal([new Revocation(TenantId.Default, Id("A"), RevocationEffect.Judge)], missed.Revocations);
        Assert.Equal((FeedContinuity.Follows, true), (missed.Continuity, missed.IsAtEnd));
        Assert.Equal(FeedContinuity.Rewound, (await feed.ReadSinceAsync(before.Position with { Fingerprint = 1 })).Continuity);
    }

    [Fact]
    public async Task CheckAsync_OfADeviceThatNobodyExpects_Refuses()
    {
        var identity = new DeviceIdentity("ieee8021ar", Id("B"), new string('0', 64), new string('1', 64), []);

        var reply = await Silo.Client.GetDeviceAccess(TenantId.Default, Id("B")).CheckAsync(identity);

        Assert.Equal("DEVICE_NOT_EXPECTED", reply.Error?.Reason);
    }

    /// <summary>It enrols: what connected with another certificate of its maker has no right any more.</summary>
    private async Task EnrolAsync(string device)
    {
        var identity = new DeviceIdentity("ieee8021ar", Id(device), new string('0', 64), new string('1', 64), [1]);
        var envelope = new UpEnvelope(identity, new SessionRef("gateway-1", 0, null), new MessageStamp("boot-1", 1));
        var os = new ReportedOs("12.11", "", "boot-1", SecureBoot: true, FactoryDefault: true);
        var reply = await Silo.Client.GetDevice(TenantId.Default, Id(device))
            .HelloAsync(new ReportHello(envelope, device, "P3265-V", os, 0));
        Assert.Null(reply.Error);
    }

    private static async Task UntilAsync(Func<Task<bool>> isSo)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(20));
        while (!await isSo())
        {
            await Task.Delay(20, timeout.Token);
        }
    }
}
