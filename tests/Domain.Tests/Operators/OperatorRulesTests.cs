using System.Collections.Immutable;
using Muster.Domain.Operators;

namespace Muster.Domain.Tests.Operators;

public sealed class OperatorRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(OperatorRole.Viewer, true, false, false, false)]
    [InlineData(OperatorRole.Operator, true, true, false, false)]
    [InlineData(OperatorRole.Approver, true, false, true, false)]
    [InlineData(OperatorRole.Administrator, true, true, false, true)]
    public void Allows_EachRole_IsTheTableOfTheApi(OperatorRole role, bool read, bool operate, bool approve, bool administer)
    {
        ImmutableArray<OperatorRole> roles = [role];

        Assert.Equal(read, OperatorRules.Allows(roles, OperatorAction.Read));
        Assert.Equal(operate, OperatorRules.Allows(roles, OperatorAction.Operate));
        Assert.Equal(approve, OperatorRules.Allows(roles, OperatorAction.Approve));
        Assert.Equal(administer, OperatorRules.Allows(roles, OperatorAction.Administer));
    }

    [Fact]
    public void Allows_WithoutRoles_IsNothing()
    {
        Assert.All(Enum.GetValues<OperatorAction>(), action => Assert.False(OperatorRules.Allows([], action)));
    }

    [Fact]
    public void Add_TheSameRequestAgain_AnswersWithTheFirstCertificate()
    {
        var first = Account();

        var again = OperatorRules.Add(first, Account() with { CreatedAt = Now.AddDays(1) });

        Assert.Null(again.Error);
        Assert.Empty(again.Events);
        Assert.Equal(Now, again.Next?.CreatedAt);
    }

    [Fact]
    public void Add_AnotherRequestForTheName_IsRefused()
    {
        Assert.Equal("ALREADY_EXISTS", OperatorRules.Add(Account(), Account() with { RequestId = "r2" }).Error?.Reason);
        Assert.Equal("ALREADY_EXISTS", OperatorRules.Add(Account(), Account() with { RequestId = "" }).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", OperatorRules.Add(Account(), Account() with { SigningRequestSha256 = "2" }).Error?.Reason);
        Assert.Equal("REQUEST_ID_REUSED", OperatorRules.Add(Account(), Account() with { Roles = [OperatorRole.Viewer] }).Error?.Reason);
    }

    [Fact]
    public void Add_WithoutKnownRoles_IsRefused()
    {
        Assert.Equal("REQUEST_INVALID", OperatorRules.Add(null, Account() with { Roles = [] }).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", OperatorRules.Add(null, Account() with { Roles = [OperatorRole.Unspecified] }).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", OperatorRules.Add(null, Account() with { Roles = [(OperatorRole)99] }).Error?.Reason);
    }

    [Fact]
    public void Authenticate_OnlyTheCertificateOnRecordOfAnEnabledAccount_Passes()
    {
        var account = Account();

        Assert.Null(OperatorRules.Authenticate(account, "cert", Now));
        Assert.Equal("OPERATOR_UNKNOWN", OperatorRules.Authenticate(account, "other", Now)?.Reason);
        Assert.Equal("OPERATOR_UNKNOWN", OperatorRules.Authenticate(null, "cert", Now)?.Reason);
        Assert.Equal("OPERATOR_UNKNOWN", OperatorRules.Authenticate(account, "cert", account.Certificate.NotAfter)?.Reason);
        Assert.Equal("OPERATOR_UNKNOWN", OperatorRules.Authenticate(account with { Enabled = false }, "cert", Now)?.Reason);
    }

    [Fact]
    public void Disable_OneSelf_IsRefused()
    {
        Assert.Equal("PERMISSION_DENIED", OperatorRules.Disable(Account(), Actor.Operator("anna")).Error?.Reason);
    }

    [Fact]
    public void Disable_Twice_ChangesNothingTheSecondTime()
    {
        var disabled = OperatorRules.Disable(Account(), Actor.Operator("root"));

        Assert.False(disabled.Next.Enabled);
        Assert.IsType<OperatorDisabled>(disabled.Events.Single());
        Assert.Empty(OperatorRules.Disable(disabled.Next, Actor.Operator("root")).Events);
    }

    [Fact]
    public void CheckSigningRequest_EmptyOrTooLong_IsRefused()
    {
        Assert.Equal("SIGNING_REQUEST_INVALID", OperatorRules.CheckSigningRequest("")?.Reason);
        Assert.Equal(
            "SIGNING_REQUEST_INVALID",
            OperatorRules.CheckSigningRequest(new string('x', OperatorAccount.SigningRequestLengthMax + 1))?.Reason);
        Assert.Null(OperatorRules.CheckSigningRequest("x"));
    }

    [Fact]
    public void Normalize_KeepsEachRoleOnceInOrder()
    {
        Assert.Equal(
            [OperatorRole.Viewer, OperatorRole.Administrator],
            OperatorRules.Normalize([OperatorRole.Administrator, OperatorRole.Viewer, OperatorRole.Administrator]));
        Assert.Empty(OperatorRules.Normalize(default));
    }

    private static OperatorAccount Account() => new()
    {
        Tenant = TenantId.Default,
        Id = ResourceId.TryParse("anna", out var id) ? id : throw new FormatException(),
        Roles = [OperatorRole.Operator],
        Certificate = new SignedOperatorCertificate("pem", "cert", Now.AddYears(1)),
        Enabled = true,
        CreatedAt = Now,
        RequestId = "r1",
        SigningRequestSha256 = "1",
    };
}
