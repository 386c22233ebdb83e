using Grpc.Core;
using Muster.Contracts;
using Muster.Contracts.Warranty;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.Inventory;
using Muster.Domain.Warranty;
using Muster.Gateway.Grpc;
using V1 = Muster.Protocol.V1;

namespace Muster.Gateway.Warranty;

/// <summary>The warranties of the API.</summary>
internal sealed class WarrantiesService(IGrainFactory grains, RowLister lister, TimeProvider clock) : V1.Warranties.WarrantiesBase
{
    public override async Task<V1.Warranty> GetWarranty(V1.GetWarrantyRequest request, ServerCallContext context)
    {
        var (tenant, device) = ResourceNames.WarrantyOf(request.Name);
        DateOnly? day = ApiValues.TryParseDay(request.OnDate, out var asked) ? asked : null;
        return Answer(tenant, device, await grains.GetWarranty(tenant, device).GetAsync(day));
    }

    public override async Task<V1.ListWarrantiesResponse> ListWarranties(V1.ListWarrantiesRequest request, ServerCallContext context)
    {
        var listing = new Listing(ResourceNames.ParentOf(request.Parent), GrainTypes.Warranty, request.Filter);
        var page = await lister.ListAsync(listing, request.PageSize, request.PageToken, context.CancellationToken);
        var today = WarrantyClock.DayOf(clock.GetUtcNow());
        var response = new V1.ListWarrantiesResponse { NextPageToken = page.NextPageToken };
        response.Warranties.AddRange(page.Rows.Select(row => WarrantiesMapping.ToApi((WarrantyRow)row.Row, today)));
        return response;
    }

    public override async Task<V1.Warranty> UpdateWarranty(V1.UpdateWarrantyRequest request, ServerCallContext context)
    {
        var (tenant, device) = ResourceNames.WarrantyOf(request.Warranty.Name);
        var command = new SetWarranty(Caller.Of(context).Actor, WarrantiesMapping.ToTerm(request.Warranty));
        return Answer(tenant, device, await grains.GetWarranty(tenant, device).SetAsync(command));
    }

    public override async Task<V1.Warranty> CloseWarrantyReview(V1.CloseWarrantyReviewRequest request, ServerCallContext context)
    {
        var (tenant, device) = ResourceNames.WarrantyOf(request.Name);
        var command = new CloseWarrantyReview(Caller.Of(context).Actor, request.ProposeDecommission);
        return Answer(tenant, device, await grains.GetWarranty(tenant, device).CloseReviewAsync(command));
    }

    private static V1.Warranty Answer(TenantId tenant, DeviceId device, WarrantyReply reply) => reply.Error is { } error
        ? throw FleetErrors.ToRpcException(error)
        : WarrantiesMapping.ToApi(tenant, device, reply);
}

/// <summary>Warranties of the API and of the domain.</summary>
internal static class WarrantiesMapping
{
    public static WarrantyTerm ToTerm(V1.Warranty warranty) => new(
        ApiValues.TryParseDay(warranty.StartsOn, out var starts) ? starts : WarrantyTerm.StartMin, warranty.TermMonths);

    public static V1.Warranty ToApi(TenantId tenant, DeviceId device, WarrantyReply reply) =>
        ToApi(ResourceNames.Of(tenant, "devices", device.Value), reply.Cover!.Term, reply.Status, reply.Cover.Review);

    /// <summary>What a list knows of a warranty, with its status on <paramref name="day"/>.</summary>
    public static V1.Warranty ToApi(WarrantyRow row, DateOnly day) =>
        ToApi(ResourceNames.Of(row.Tenant, "devices", row.Name), row.Term, WarrantyClock.StatusOn(row.Term, day), row.Review);

    private static V1.Warranty ToApi(string device, WarrantyTerm term, WarrantyStatus status, WarrantyReviewState review) => new()
    {
        Name = device + "/warranty",
        StartsOn = term.Months > 0 ? ApiValues.ToDay(term.StartsOn) : "",
        TermMonths = term.Months,
        EndsOn = WarrantyClock.LastDay(term) is { } last ? ApiValues.ToDay(last) : "",
        Status = (V1.WarrantyStatus)status,
        Review = (V1.WarrantyReviewState)review,
    };
}

/// <summary>What requests of the warranties service have to look like.</summary>
internal static class WarrantiesValidators
{
    private const string DayForm = "a date of the form YYYY-MM-DD";

    public static void AddTo(RequestValidators validators) => validators
        .Add<V1.GetWarrantyRequest>((request, problems) =>
        {
            problems.WarrantyName("name", request.Name);
            problems.Require(request.OnDate.Length == 0 || ApiValues.TryParseDay(request.OnDate, out _), "on_date", "empty or " + DayForm);
        })
        .Add<V1.ListWarrantiesRequest>((request, problems) => problems.Page(request.Parent, request.PageSize, request.PageToken))
        .Add<V1.UpdateWarrantyRequest>((request, problems) =>
        {
            problems.Require(request.Warranty is not null, "warranty", "is required");
            if (request.Warranty is { } warranty)
            {
                problems.WarrantyName("warranty.name", warranty.Name);
                CheckTerm("warranty", warranty, problems);
            }
        })
        .Add<V1.CloseWarrantyReviewRequest>((request, problems) => problems.WarrantyName("name", request.Name));

    public static void CheckTerm(string field, V1.Warranty warranty, Problems problems)
    {
        problems.Require(
            warranty.TermMonths is >= 0 and <= WarrantyTerm.MonthsMax, field + ".term_months", $"0 to {WarrantyTerm.MonthsMax} months");
        var isDay = ApiValues.TryParseDay(warranty.StartsOn, out var starts);
        problems.Require(
            isDay ? starts >= WarrantyTerm.StartMin && starts <= WarrantyTerm.StartMax : warranty is { StartsOn: "", TermMonths: 0 },
            field + ".starts_on",
            $"{DayForm}, from {ApiValues.ToDay(WarrantyTerm.StartMin)} to {ApiValues.ToDay(WarrantyTerm.StartMax)}");
    }
}
