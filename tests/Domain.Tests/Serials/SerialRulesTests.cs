using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Serials;
using Muster.Domain.Tests.Devices;

namespace Muster.Domain.Tests.Serials;

public sealed class SerialRulesTests
{
    private const string Cause = "bought by them";

    private static readonly DateTimeOffset Now = Units.Start;
    private static readonly SerialId Serial = SerialId.Of(Units.Id);
    private static readonly TenantId Acme = Tenant("acme");
    private static readonly TenantId Bolt = Tenant("bolt");
    private static readonly Actor Anna = Actor.Operator("anna");

    [Theory]
    [InlineData("B8A44F000001", "axis")]
    [InlineData("E82725ABCDEF", "axis")]
    [InlineData("001122334455", "ieee8021ar")]
    [InlineData("%62%38%61%34%34%66000001", "ieee8021ar")]
    [InlineData("B8A44F0000010", "ieee8021ar")]
    public void Of_EverySerial_HasOneProfile(string device, string profile)
    {
        Assert.True(DeviceId.TryParse(device, out var id));
        Assert.Equal($"{profile}/{device}", SerialId.Of(id).ToString());
    }

    [Fact]
    public void CheckProfile_OfTheOtherProfile_IsRefused()
    {
        Assert.Null(SerialRules.CheckProfile(Units.Identity));
        Assert.Equal("SERIAL_OF_ANOTHER_PROFILE", SerialRules.CheckProfile(Units.Identity with { Profile = "ieee8021ar" })?.Reason);
    }

    [Fact]
    public void Expect_ByOneTenant_LeavesNoFactAndNoRow()
    {
        var claims = Expect(null, Acme);

        Assert.Equal((SerialState.Expected, null), (claims.State, SerialRules.Check(claims, Acme)));
        Assert.Null(SerialRow.Of(claims));
        Assert.Same(claims, SerialRules.Expect(claims, Serial, Acme, SerialStanding.None, Now).Next);
        Assert.Empty(SerialRules.Expect(null, Serial, Acme, SerialStanding.None, Now).Facts);
    }

    [Fact]
    public void Expect_ByASecondTenant_LetsBothWait()
    {
        var change = SerialRules.Expect(Expect(null, Acme), Serial, Bolt, SerialStanding.None, Now);

        Assert.Equal(new SerialDisputed(Bolt), Assert.Single(change.Facts));
        Assert.Equal(SerialState.Waiting, change.Next!.State);
        Assert.Equal("SERIAL_DISPUTED", SerialRules.Check(change.Next, Acme)?.Reason);
        Assert.Equal("SERIAL_DISPUTED", SerialRules.Check(change.Next, Bolt)?.Reason);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", SerialRules.Check(change.Next, TenantId.Default)?.Reason);
        Assert.Equal("SERIAL_DISPUTED", SerialRules.Claim(change.Next, Serial, Bolt, Now).Error?.Reason);
        Assert.Same(change.Next, SerialRules.Claim(change.Next, Serial, Bolt, Now).Next);
    }

    [Theory]
    [InlineData(SerialStanding.None, null, SerialState.Expected)]
    [InlineData(SerialStanding.Expected, null, SerialState.Waiting)]
    [InlineData(SerialStanding.Proved, "SERIAL_OF_ANOTHER_TENANT", SerialState.Held)]
    public void Expect_OfWhatTheFirstTenantNeverClaimed_CountsIt(SerialStanding standing, string? reason, SerialState state)
    {
        var change = SerialRules.Expect(null, Serial, Acme, standing, Now);

        Assert.Equal((reason, state), (change.Error?.Reason, change.Next!.State));
        Assert.Equal(standing == SerialStanding.None, SerialRules.Check(change.Next, Acme) is null);
    }

    [Fact]
    public void Claim_ByTheOnlyTenant_HoldsForEver()
    {
        var held = SerialRules.Claim(null, Serial, Acme, Now);

        Assert.Equal((null, SerialState.Held, Acme), (held.Error, held.Next!.State, held.Next.Holder));
        Assert.Empty(held.Facts);
        Assert.Same(held.Next, SerialRules.Claim(held.Next, Serial, Acme, Now).Next);
        var other = SerialRules.Claim(held.Next, Serial, Bolt, Now);
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", other.Error?.Reason);
        Assert.Same(held.Next, other.Next);
        Assert.Equal(
            "SERIAL_OF_ANOTHER_TENANT", SerialRules.Expect(held.Next, Serial, Bolt, SerialStanding.None, Now).Error?.Reason);
    }

    [Fact]
    public void Claim_ByATenantThatIsNotOnRecord_PutsTheDisputeThere()
    {
        var change = SerialRules.Claim(Expect(null, Acme), Serial, Bolt, Now);

        Assert.Equal("SERIAL_DISPUTED", change.Error?.Reason);
        Assert.Equal([Acme, Bolt], change.Next!.Expecting);
        Assert.Equal(new SerialDisputed(Bolt), Assert.Single(change.Facts));
    }

    [Fact]
    public void Assign_ToOneOfThem_LetsItsDeviceInAndNoOther()
    {
        var disputed = Expect(Expect(null, Acme), Bolt);

        var change = SerialRules.Assign(disputed, Bolt, Anna, Cause, Now);

        Assert.Equal(new SerialAssignment(Bolt, "anna", Cause, Now), Assert.IsType<SerialAssigned>(Assert.Single(change.Facts)).Assignment);
        Assert.Equal(SerialState.Assigned, change.Next!.State);
        Assert.Null(SerialRules.Check(change.Next, Bolt));
        Assert.Equal("SERIAL_OF_ANOTHER_TENANT", SerialRules.Claim(change.Next, Serial, Acme, Now).Error?.Reason);
        var proved = SerialRules.Claim(change.Next, Serial, Bolt, Now);
        Assert.Equal((null, SerialState.Held), (proved.Error, proved.Next!.State));
        Assert.Equal(new SerialProved(Bolt), Assert.Single(proved.Facts));
    }

    [Fact]
    public void Assign_AnewBeforeAProof_ChangesItAndAfterItDoesNot()
    {
        var assigned = SerialRules.Assign(Expect(Expect(null, Acme), Bolt), Bolt, Anna, Cause, Now).Next!;

        var repeated = SerialRules.Assign(assigned, Bolt, Anna, Cause, Now.AddDays(1));
        var changed = SerialRules.Assign(assigned, Acme, Anna, "no, by us", Now).Next!;
        var held = SerialRules.Claim(changed, Serial, Acme, Now).Next!;

        Assert.Same(assigned, repeated.Next);
        Assert.Null(SerialRules.Check(changed, Acme));
        Assert.Equal("SERIAL_NOT_ASSIGNABLE", SerialRules.Assign(held, Bolt, Anna, Cause, Now).Error?.Reason);
        Assert.Null(SerialRules.Assign(held, Acme, Anna, Cause, Now).Error);
    }

    [Fact]
    public void Withdraw_ByOneOfTwo_EndsTheDisputeAndWhatWasDecidedForIt()
    {
        var assigned = SerialRules.Assign(Expect(Expect(null, Acme), Bolt), Bolt, Anna, Cause, Now).Next!;

        var change = SerialRules.Withdraw(assigned, Bolt);

        Assert.Equal(new SerialWithdrawn(Bolt), Assert.Single(change.Facts));
        Assert.Equal((SerialState.Expected, null), (change.Next!.State, SerialRules.Check(change.Next, Acme)));
        Assert.Same(change.Next, SerialRules.Withdraw(change.Next, Bolt).Next);
        Assert.Empty(SerialRules.Withdraw(Expect(null, Acme), Acme).Facts);
        var held = SerialRules.Claim(change.Next, Serial, Acme, Now).Next;
        Assert.Same(held, SerialRules.Withdraw(held, Acme).Next);
        Assert.Null(SerialRules.Withdraw(null, Acme).Next);
    }

    [Theory]
    [InlineData(DeviceState.Expected, SerialStanding.Expected)]
    [InlineData(DeviceState.Withdrawn, SerialStanding.None)]
    [InlineData(DeviceState.InService, SerialStanding.Proved)]
    [InlineData(DeviceState.Decommissioned, SerialStanding.Proved)]
    public void StandingOf_ADevice_IsWhatItsRecordSays(DeviceState state, SerialStanding standing) =>
        Assert.Equal((standing, SerialStanding.None), (SerialRules.StandingOf(Units.InState(state)), SerialRules.StandingOf(null)));

    [Fact]
    public void Assign_OfWhatNobodyDisputesOrToAStranger_IsRefused()
    {
        var disputed = Expect(Expect(null, Acme), Bolt);

        Assert.Equal("SERIAL_NOT_ASSIGNABLE", SerialRules.Assign(Expect(null, Acme), Acme, Anna, Cause, Now).Error?.Reason);
        Assert.Equal("SERIAL_NOT_ASSIGNABLE", SerialRules.Assign(disputed, TenantId.Default, Anna, Cause, Now).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", SerialRules.Assign(disputed, Acme, Anna, "", Now).Error?.Reason);
    }

    [Fact]
    public void ExpectAndClaim_ByMoreTenantsThanThereMayBe_KeepTheRecordSmall()
    {
        SerialClaims? claims = null;
        for (var i = 0; i < SerialRules.TenantsMax; i++)
        {
            claims = Expect(claims, Tenant($"t{i}"));
        }

        Assert.Same(claims, SerialRules.Expect(claims, Serial, Acme, SerialStanding.None, Now).Next);
        Assert.NotNull(SerialRules.Expect(claims, Serial, Acme, SerialStanding.None, Now).Error);
        Assert.Same(claims, SerialRules.Claim(claims, Serial, Acme, Now).Next);
        Assert.NotNull(SerialRules.Claim(claims, Serial, Acme, Now).Error);
    }

    private static SerialClaims Expect(SerialClaims? current, TenantId tenant) =>
        SerialRules.Expect(current, Serial, tenant, SerialStanding.None, Now).Next!;

    private static TenantId Tenant(string name) => TenantId.TryParse(name, out var tenant) ? tenant : throw new FormatException(name);
}
