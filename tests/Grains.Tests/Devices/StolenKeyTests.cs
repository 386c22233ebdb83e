using System.Collections.Immutable;
using System.Security.Cryptography;
using Muster.Contracts.Devices;
using Muster.Domain.Devices;
using Muster.Domain.Identity;
using Muster.Domain.Trust;

namespace Muster.Grains.Tests.Devices;

/// <summary>A key under a second serial: whatever the second one is refused for first, the first one's owner is told.</summary>
public sealed class StolenKeyTests(DeviceSilo silo)
{
    private static int _request;

    [Fact]
    public async Task AdmitAsync_OfASerialThatNobodyExpects_RaisesTheSuspicion()
    {
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), new Unit(silo));

        var admitted = await AdmitAsync(thief, owner.KeyUnder(thief));

        Assert.Equal("DEVICE_NOT_EXPECTED", admitted.Error?.Reason);
        await AssertToldAsync(owner, thief);
    }

    /// <summary>A refusal that is nobody's business does not use up the minute.</summary>
    [Fact]
    public async Task AdmitAsync_WithAKeyOfItsOwnBefore_RaisesTheSuspicionAllTheSame()
    {
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), new Unit(silo));

        await AdmitAsync(thief, thief.Identity);
        await AdmitAsync(thief, owner.KeyUnder(thief));

        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task AdmitAsync_OfASerialThatIsEnrolledWithItsOwnKey_RaisesTheSuspicionAtTheKeysOwnerAlone()
    {
        var (owner, other) = (await new Unit(silo).EnrolAsync(), await new Unit(silo).EnrolAsync());

        var admitted = await AdmitAsync(other, owner.KeyUnder(other));

        Assert.Equal("IDENTITY_MISMATCH", admitted.Error?.Reason);
        await AssertToldAsync(owner, other);
        Assert.Null((await other.GetAsync()).Suspicion);
        Assert.Equal(DeviceState.InService, (await other.GetAsync()).State);
    }

    [Fact]
    public async Task AdmitAsync_OfASerialThatWasWithdrawn_RaisesTheSuspicion()
    {
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), new Unit(silo));
        await thief.ExpectAsync();
        await thief.Grain.WithdrawAsync(new WithdrawDevice(Unit.Anna, "not ours"));

        Assert.Equal("DEVICE_NOT_EXPECTED", (await AdmitAsync(thief, owner.KeyUnder(thief))).Error?.Reason);

        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task AdmitAsync_WithAnotherCertificateOfTheDevicesOwnKey_RaisesNothing()
    {
        // Told by the device itself, were it told: what it says of a second key comes after it in the grain's own order.
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), new Unit(silo));
        Assert.Equal("IDENTITY_MISMATCH", (await AdmitAsync(owner, owner.KeyUnder(owner))).Error?.Reason);

        await AdmitAsync(thief, owner.KeyUnder(thief));

        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task ClearDownloadAsync_WithTheKeyOfAnother_RaisesTheSuspicion()
    {
        var (owner, other) = (await new Unit(silo).EnrolAsync(), await new Unit(silo).EnrolAsync());

        var cleared = await other.Grain.ClearDownloadAsync(new AuthorizeDownload(owner.KeyUnder(other), Unit.NewDigest));

        Assert.Equal("IDENTITY_MISMATCH", cleared.Error?.Reason);
        await AssertToldAsync(owner, other);
    }

    [Fact]
    public async Task IssueAsync_OverAConnectionWithTheKeyOfAnother_RaisesTheSuspicion()
    {
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), new Unit(silo));

        var reply = await IssueAsync(thief, NewRequest(), owner.KeyUnder(thief));

        Assert.Equal("DEVICE_NOT_EXPECTED", reply.Error?.Reason);
        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task IssueAsync_SignedWithTheOperationalKeyOfAnother_RaisesTheSuspicion()
    {
        var (owner, thief) = (await new Unit(silo).EnrolAsync(), await new Unit(silo).EnrolAsync());
        var request = NewRequest();
        Assert.Null((await IssueAsync(owner, request)).Error);

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await IssueAsync(thief, request)).Error?.Reason);

        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task IssueAsync_OfARequestThatNamesNobody_IsRefusedAndProvesNoKey()
    {
        // Whoever has seen the owner's own request can send it again: it was signed once, by the owner.
        var (owner, copier) = (await new Unit(silo).EnrolAsync(), await new Unit(silo).EnrolAsync());
        var thief = new Unit(silo);
        ImmutableArray<byte> nameless = [.. NewRequest(), PlayedIssuer.Nameless];
        Assert.Null((await IssueAsync(owner, nameless)).Error);

        Assert.Equal("KEY_CLAIMED_BY_ANOTHER", (await IssueAsync(copier, nameless)).Error?.Reason);

        // A word that is not waited for would have come before this one.
        await AdmitAsync(thief, owner.KeyUnder(thief));
        await AssertToldAsync(owner, thief);
    }

    [Fact]
    public async Task AdmitAsync_ThatIsRefusedAgainAndAgain_TellsTheOwnerOnceInAMinute()
    {
        await using var own = new DeviceSilo();
        await own.InitializeAsync();
        var (owner, thief, other) = (await new Unit(own).EnrolAsync(), new Unit(own), new Unit(own));
        var second = await new Unit(own).EnrolAsync();
        var trust = own.Grains.GetDeviceTrust(owner.Tenant, owner.Id);
        var dismiss = new ResolveSuspicion(Unit.Anna, IsConfirmed: false, "one desk");
        await RepeatAsync(thief, owner);
        await AssertToldAsync(owner, thief);

        // Dismissed within the minute: the next words are another one's.
        await trust.ResolveAsync(dismiss);
        await RepeatAsync(thief, owner);
        await AdmitAsync(other, owner.KeyUnder(other));
        await AssertToldAsync(owner, other);

        // What was dismissed stays so, over the minute and a restart; what follows is the owner's next word.
        await trust.ResolveAsync(dismiss);
        own.Clock.Advance(TimeSpan.FromMinutes(1));
        await own.ForgetAsync(owner.GrainId);
        await RepeatAsync(thief, owner);
        await AdmitAsync(other, owner.KeyUnder(other));

        // Another key under the same serial, in the same minute, is another matter, and so is the same key under a third one.
        await AdmitAsync(thief, second.KeyUnder(thief));
        await AssertToldAsync(second, thief);
        Assert.Null((await owner.GetAsync()).Suspicion);
        var third = new Unit(own);
        await AdmitAsync(third, owner.KeyUnder(third));
        await AssertToldAsync(owner, third);
        Assert.Equal(
            3, (await own.EntriesOfAsync(owner.GrainId)).Count(entry => entry.Fact is CloneSuspected));
    }

    private static async Task RepeatAsync(Unit thief, Unit owner)
    {
        for (var time = 0; time < 50; time++)
        {
            Assert.NotNull((await AdmitAsync(thief, owner.KeyUnder(thief))).Error);
        }
    }

    private static async Task AssertToldAsync(Unit owner, Unit thief)
    {
        var device = await owner.UntilSuspectedAsync();
        Assert.Equal(
            (SuspicionKind.KeyUnderTwoSerials, DeviceState.Quarantined), (device.Suspicion?.Kind, device.State));
        Assert.Contains($"'{thief.Id}'", device.Suspicion?.Detail, StringComparison.Ordinal);
    }

    private static Task<AdmitReply> AdmitAsync(Unit unit, DeviceIdentity identity) =>
        unit.Grain.AdmitAsync(new AdmitSession(identity, Receives: false, null, "gateway-1"));

    private static ImmutableArray<byte> NewRequest() =>
        [.. RandomNumberGenerator.GetBytes(8), (byte)(Interlocked.Increment(ref _request) % 100)];

    private Task<CertificateReply> IssueAsync(Unit unit, ImmutableArray<byte> request, DeviceIdentity? identity = null) => silo
        .Grains.GetDeviceCertificates(unit.Tenant, unit.Id)
        .IssueAsync(new IssueCertificate(identity ?? unit.Identity, CertificateCall.Enroll, request));
}
